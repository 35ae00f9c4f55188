package main

import (
	"archive/tar"
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"aorta/internal/testkit/lab"
)

const (
	app        = "shop"
	image      = "shop:1"
	hostPort   = "9000" // of the app on each host that has an instance
	checkEvery = time.Second
)

//go:embed nginx.conf
var nginxConf string

// swarmHosts are four engines without a daemon. Swarm mode refuses one that has live-restore.
func swarmHosts() []lab.Spec {
	specs := make([]lab.Spec, 4)
	for i := range specs {
		specs[i].EngineFlags = []string{"--live-restore=false"}
	}
	return specs
}

// onSwarm makes a swarm of three managers and the worker n3, and a service of three.
func onSwarm(ctx context.Context, l *lab.Lab, dir string) error {
	archive, err := imageArchive()
	if err != nil {
		return err
	}
	for _, h := range l.Hosts {
		if _, err := docker(ctx, h, bytes.NewReader(archive), "import",
			"-c", `ENTRYPOINT ["/hello"]`, "-c", "USER 65534:65534",
			"-c", fmt.Sprintf(`HEALTHCHECK --interval=%s CMD ["/check", %q, "http://127.0.0.1:5000/healthz"]`, checkEvery, checkCommand),
			"-", image); err != nil {
			return err
		}
		if err := startNginx(h, dir); err != nil {
			return err
		}
	}
	if err := form(ctx, l); err != nil {
		return err
	}
	return serve(ctx, l.Hosts[0])
}

// imageArchive is the example with the health check beside it.
func imageArchive() ([]byte, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, path := range map[string]string{"hello": "examples/hello/hello", "check": self} {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(content); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), w.Close()
}

// startNginx has a host take the app's requests for all; it ends with the host.
func startNginx(h *lab.Host, dir string) error {
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, []byte(nginxConf), 0o644); err != nil {
		return err
	}
	cmd := exec.Command("nginx", "-e", filepath.Join(dir, h.Name+".log"), "-c", conf, "-g", "pid "+filepath.Join(dir, h.Name+".pid")+";")
	if err := h.Start(cmd); err != nil {
		return fmt.Errorf("start nginx of %s: %w", h.Name, err)
	}
	go func() { _ = cmd.Wait() }() // ends with nginx
	return nil
}

// form joins the engines: n1, n2 and n4 are managers, so that the loss of n3 leaves all.
func form(ctx context.Context, l *lab.Lab) error {
	n1 := l.Hosts[0]
	if _, err := docker(ctx, n1, nil, "swarm", "init", "--advertise-addr", n1.Address()); err != nil {
		return err
	}
	for _, h := range l.Hosts[1:] {
		role := "manager"
		if h.Name == lost {
			role = "worker"
		}
		token, err := docker(ctx, n1, nil, "swarm", "join-token", "-q", role)
		if err != nil {
			return err
		}
		if _, err := docker(ctx, h, nil, "swarm", "join", "--token", strings.TrimSpace(token), n1.Address()+":2377"); err != nil {
			return err
		}
	}
	return nil
}

// serve makes the service, which has converged when it returns.
func serve(ctx context.Context, n1 *lab.Host) error {
	for _, words := range [][]string{
		{"node", "update", "--availability", "drain", "n1"}, // which has the replacement's place
		{
			"service", "create", "--name", app, "--replicas", "3", "--no-resolve-image", "--limit-memory", "64m",
			"--publish", "mode=host,published=" + hostPort + ",target=5000",
			"--env", "AORTA_APP=" + app, "--env", "AORTA_RELEASE=v1", "--env", "AORTA_INSTANCE={{.Task.ID}}", image,
		},
		{"node", "update", "--availability", "active", "n1"},
	} {
		if _, err := docker(ctx, n1, nil, words...); err != nil {
			return err
		}
	}
	return nil
}

// docker runs a command of the engine's client on a host.
func docker(ctx context.Context, h *lab.Host, in io.Reader, words ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", words...)
	var out, said bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(os.Environ(), h.Env()...), in, &out, &said
	if err := h.Run(cmd); err != nil {
		return "", fmt.Errorf("docker %s on %s: %w: %s", words[0], h.Name, err, strings.TrimSpace(said.String()))
	}
	return out.String(), nil
}
