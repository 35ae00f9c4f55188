package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"aorta/internal/testkit/lab"
)

func aortaHosts() []lab.Spec { return lab.Specs(4) }

// manifest has the health check as often as that of swarm mode.
const manifest = `processes:
  web:
    memory: 64m
    health: {path: /healthz, status: 200, interval: %s}
`

// onAorta deploys the app as people do.
func onAorta(ctx context.Context, l *lab.Lab, dir string) error {
	source := filepath.Join(dir, app)
	if err := os.CopyFS(source, os.DirFS("examples/hello")); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(source, "aorta.yml"), fmt.Appendf(nil, manifest, checkEvery), 0o644); err != nil {
		return err
	}
	for _, words := range [][]string{
		{"apps", "create", app},
		{"nodes", "drain", "n1"}, // which has the replacement's place
		{"deploy", source, "-a", app},
		{"ps", "scale", "-a", app, "web=3"},
		{"nodes", "undrain", "n1"},
	} {
		if _, err := l.Aorta(ctx, words...); err != nil {
			return err
		}
	}
	return nil
}
