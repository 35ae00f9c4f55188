package lab

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// words are what aortad is started with on the host, before the flags: another host
// than the first joins the cluster at its first start.
func (h *Host) words(ctx context.Context) ([]string, error) {
	_, err := os.Stat(filepath.Join(h.data(), "node/node.json"))
	if h == h.lab.Pacemaker() || err == nil {
		return []string{"run"}, nil
	}
	token, err := h.lab.Aorta(ctx, "nodes", "token", "--name", h.Name, "--roles", strings.Join(h.Roles, ","))
	if err != nil {
		return nil, err
	}
	pacemaker := "https://" + h.lab.Pacemaker().Address() + ":" + nodePort
	return []string{"join", pacemaker, "--token", strings.TrimSpace(string(token))}, nil
}
