// Package profile tells what each part of a process costs: loops run under the
// part's name, and whoever may open a socket takes a profile that is labelled with
// them. It is for people and benchmarks; nothing is decided by it.
package profile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	rpprof "runtime/pprof"
	"time"
)

// label is what the name of a part is called in a profile.
const label = "part"

// Part runs fn, and all goroutines that it starts, under the name of a part. The
// innermost name counts.
func Part(ctx context.Context, name string, fn func(context.Context) error) (err error) {
	rpprof.Do(ctx, rpprof.Labels(label, name), func(ctx context.Context) { err = fn(ctx) })
	return err
}

// Serve answers with profiles, as net/http/pprof makes them, on a unix socket that
// only the process's user can open, until ctx ends.
func Serve(ctx context.Context, path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("serve profiles: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("serve profiles: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return fmt.Errorf("serve profiles: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve profiles: %w", err)
	}
	return nil
}
