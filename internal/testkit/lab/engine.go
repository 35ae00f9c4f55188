package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// containerd as dockerd would start one of its own: on a machine with a containerd
// for all, dockerd would use that, and the containers would not be the lab's.
const containerdConfig = `version = 2
root = %q
state = %q
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = %q
`

// startEngine starts what the host's containers need, and waits until it answers.
func (h *Host) startEngine(ctx context.Context) error {
	if err := h.startContainerd(ctx); err != nil {
		return err
	}
	return h.StartEngine(ctx)
}

func (h *Host) containerdSocket() string { return filepath.Join(h.sockets(), "containerd.sock") }

func (h *Host) startContainerd(ctx context.Context) error {
	images, tasks := filepath.Join(h.Disk(), "containerd"), filepath.Join(h.sockets(), "containerd")
	file, socket := filepath.Join(h.Disk(), "containerd.toml"), h.containerdSocket()
	err := errors.Join(
		os.MkdirAll(h.sockets(), 0o755),
		os.WriteFile(file, fmt.Appendf(nil, containerdConfig, images, tasks, socket), 0o600),
	)
	if err != nil {
		return fmt.Errorf("engine of %s: %w", h.Name, err)
	}
	containerd, err := h.start(filepath.Join(h.Disk(), "containerd.log"), h.baseEnv(), "containerd", "--config", file)
	if err != nil {
		return err
	}
	return containerd.await(ctx, "containerd of "+h.Name, func() error { return listens(socket) })
}

// StartEngine starts the host's Docker engine beside its containerd, and waits until it
// answers.
func (h *Host) StartEngine(ctx context.Context) error {
	argv := append([]string{
		"dockerd", "--data-root", filepath.Join(h.Disk(), "docker"), "--exec-root", filepath.Join(h.sockets(), "docker"),
		"--pidfile", filepath.Join(h.sockets(), "docker.pid"), "--containerd", h.containerdSocket(), "--host", h.Engine(),
		"--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", "/" + string(h.group.containers()), "--live-restore",
	}, h.EngineFlags...)
	dockerd, err := h.start(filepath.Join(h.Disk(), "dockerd.log"), h.baseEnv(), argv...)
	if err != nil {
		return err
	}
	return dockerd.await(ctx, "Docker engine of "+h.Name, func() error { return answers(ctx, unixClient(h.engineSocket()), "http://engine/_ping") })
}

// listens says whether somebody listens on a socket.
func listens(socket string) error {
	conn, err := net.Dial("unix", socket)
	if err == nil {
		err = conn.Close()
	}
	return err
}

// pollTimeout is how long one question may take of those that are asked again.
const pollTimeout = 5 * time.Second

// unixClient asks on a socket.
func unixClient(socket string) *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	return &http.Client{Timeout: pollTimeout, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
}
