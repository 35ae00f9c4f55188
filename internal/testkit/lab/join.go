package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"aorta/internal/atomicfile"
)

// join makes the cluster know the host, at its first start, and gives the flags by
// which its daemon finds the pacemaker.
func (h *Host) join(ctx context.Context) ([]string, error) {
	file := filepath.Join(h.Disk(), "node.token")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		token, err := h.lab.Aorta(ctx, "nodes", "token", "--name", h.Name, "--roles", strings.Join(h.Roles, ","))
		if err != nil {
			return nil, err
		}
		if err := atomicfile.Write(file, token, 0o600); err != nil {
			return nil, fmt.Errorf("keep the token of %s: %w", h.Name, err)
		}
	}
	pacemaker := "http://" + h.lab.Pacemaker().Address() + ":" + nodePort
	return []string{"--pacemaker", pacemaker, "--node-token-file", file}, nil
}
