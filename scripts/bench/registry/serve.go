package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/sirupsen/logrus"

	"aorta/internal/pki"
	"aorta/pacemaker/registry"
)

// serveCommand makes this program the pacemaker's end, a process of its own.
const serveCommand = "serve"

// ends are where that listens.
type ends struct {
	Nodes string // as the nodes' API does
	Bare  string // the library alone, without TLS
}

// serve serves the registry in a directory in both ways, until its standard input
// ends.
func serve(ctx context.Context, dir string) error {
	logrus.SetOutput(io.Discard)
	r, err := registry.Open(ctx, registry.Config{Dir: filepath.Join(dir, "registry"), Secret: "bench", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	authority, err := pki.Open(filepath.Join(dir, "pki"), false)
	if err != nil {
		return err
	}
	cert, err := authority.Server()
	if err != nil {
		return err
	}
	trust := &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"},
		ClientAuth: tls.RequireAnyClientCert,
	}
	config := &configuration.Configuration{Storage: configuration.Storage{
		"filesystem": {"rootdirectory": filepath.Join(dir, "registry")}, "redirect": {"disable": true},
	}}
	var at ends
	if at.Nodes, err = listen(r.For("n1"), trust); err != nil {
		return err
	}
	if at.Bare, err = listen(handlers.NewApp(ctx, config), nil); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(at); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// listen serves for as long as the process lives.
func listen(h http.Handler, trust *tls.Config) (address string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h, TLSConfig: trust}
	go func() {
		if trust != nil {
			_ = server.ServeTLS(l, "", "")
			return
		}
		_ = server.Serve(l)
	}()
	return l.Addr().String(), nil
}

// child starts the pacemaker's end, and gives its process and where it listens.
func child(ctx context.Context, dir string) (*exec.Cmd, ends, error) {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", serveCommand, dir)
	cmd.Stderr = os.Stderr
	_, err := cmd.StdinPipe() // it ends with us
	if err != nil {
		return nil, ends{}, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, ends{}, err
	}
	if err := cmd.Start(); err != nil {
		return nil, ends{}, err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var at ends
	if err == nil {
		err = json.Unmarshal(line, &at)
	}
	return cmd, at, err
}
