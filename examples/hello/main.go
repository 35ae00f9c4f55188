// Command hello is the example app: one page that shows which release, instance
// and node answered, and a few endpoints that tests and people poke at. It needs
// nothing but the variables that every app is given.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// drainTimeout is how long requests in flight may take after SIGTERM; the
// platform kills what is left after 30 s.
const drainTimeout = 25 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := serve(ctx, newApp(os.Getenv)); err != nil {
		slog.Error("hello ended", "error", err)
		os.Exit(1)
	}
}

// serve answers on PORT until ctx ends, then finishes what is in flight.
func serve(ctx context.Context, a *app) error {
	l, err := net.Listen("tcp", net.JoinHostPort("", a.port))
	if err != nil {
		return fmt.Errorf("listen on PORT %s: %w", a.port, err)
	}
	slog.Info("hello listens", "address", l.Addr().String(), "release", a.Release)
	return serveOn(ctx, l, a.routes())
}

func serveOn(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }() // Shutdown below ends it
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	slog.Info("hello finishes the requests in flight")
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
