package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// StartDaemon starts the host's aortad, and waits until all of its roles are ready.
// On other hosts than the first, that has to be ready.
func (h *Host) StartDaemon(ctx context.Context) error {
	args, err := h.daemonArgs(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(h.Disk(), "home"), 0o700); err != nil {
		return fmt.Errorf("aortad of %s: %w", h.Name, err)
	}
	daemon, err := h.start(h.logFile(), h.baseEnv(), append([]string{h.daemon()}, args...)...)
	if err != nil {
		return err
	}
	client := h.HTTP(pollTimeout)
	if err := daemon.await(ctx, "aortad of "+h.Name, func() error { return answers(ctx, client, h.API()+"/readyz") }); err != nil {
		return err
	}
	if h == h.lab.Pacemaker() {
		return h.logIn(ctx)
	}
	return nil
}

// daemon is the host's program aortad.
func (h *Host) daemon() string { return cmp.Or(h.Daemon, h.lab.rec.Daemon) }

// KillDaemon ends the host's aortad as `kill -9` does: Redis, nginx and containers
// go on.
func (h *Host) KillDaemon(ctx context.Context) error { return h.end(ctx, theDaemon, unix.SIGKILL) }

// StopDaemon ends it as a service manager does; those go on here, too.
func (h *Host) StopDaemon(ctx context.Context) error { return h.end(ctx, theDaemon, unix.SIGTERM) }

// daemonArgs are the words of aortad as make up has them, and what a host of several
// needs besides.
func (h *Host) daemonArgs(ctx context.Context) ([]string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(h.lab.rec.Tree, "scripts/daemon-args.sh"), h.Engine())
	cmd.Env = append(os.Environ(), "STATE="+h.Disk(), "LISTEN="+h.Address()+":"+apiPort, "ROUTER=:"+routerPort, "DOMAIN="+Domain)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("ask for the flags of make up: %w", err)
	}
	args := strings.Split(strings.TrimSpace(string(out)), "\n")
	words, err := h.words(ctx)
	return slices.Concat(words, args, []string{"--node-address", h.Address(), "--roles", strings.Join(h.Roles, ",")}, h.Flags), err
}

// logIn gives those who use the cluster their way in.
func (h *Host) logIn(ctx context.Context) error {
	token, err := os.Open(filepath.Join(h.data(), "admin.token"))
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	defer func() { _ = token.Close() }()
	_, err = h.lab.client(ctx, token, "login", h.API(), "--token", "-")
	return err
}

// answers asks for a page that says by its status whether all is well.
func answers(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/plain")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(strings.Join(strings.Fields(string(text)), " "))
	}
	return err
}
