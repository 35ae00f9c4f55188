package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"syscall"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/logstore"
)

// kept is what the log store has of the printer's lines.
type kept struct {
	seen                map[int]bool
	newest              int
	doubled, disordered int
}

// kept reads the whole log, in the order in which its lines arrived, from a copy
// that is made while the daemon stands still.
func (b *bench) kept(ctx context.Context) (*kept, error) {
	id, err := b.appID(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "aorta-bench-logs")
	if err != nil {
		return nil, fmt.Errorf("copy the log store: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := b.copyTo(dir); err != nil {
		return nil, fmt.Errorf("copy the log store: %w", err)
	}
	store, err := logstore.Open(dir, logstore.Config{MaxLag: 1 << 40}, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, fmt.Errorf("open the copy of the log store: %w", err)
	}
	defer func() { _ = store.Close() }()
	newest, err := store.Query(ctx, id, logstore.Query{Limit: 1})
	if err != nil || len(newest) == 0 {
		return nil, fmt.Errorf("read the newest line of the log: %d lines, %v", len(newest), err)
	}
	return readAll(ctx, store, id, newest[0].Text)
}

func (b *bench) copyTo(dir string) error {
	if err := syscall.Kill(b.pid, syscall.SIGSTOP); err != nil {
		return err
	}
	defer func() { _ = syscall.Kill(b.pid, syscall.SIGCONT) }()
	return os.CopyFS(dir, os.DirFS(b.store))
}

// readAll reads up to the line with that text.
func readAll(ctx context.Context, store *logstore.Store, id cluster.ID, last string) (*kept, error) {
	follower, err := store.Follow(ctx, id, logstore.Query{}, 1) // behind the first, which is none of the printer's
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	k := &kept{seen: map[int]bool{}, newest: -1}
	for {
		some, err := follower.Next(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the log behind %d lines, before its last one: %w", len(k.seen), err)
		}
		for _, e := range some {
			text := e.Line().Text
			k.add(text)
			if text == last {
				return k, nil
			}
		}
	}
}

func (k *kept) add(text string) {
	n, _, ok := printed(text)
	if !ok {
		return
	}
	if k.seen[n] {
		k.doubled++
	} else if n < k.newest {
		k.disordered++
	}
	k.seen[n], k.newest = true, max(n, k.newest)
}

func (b *bench) appID(ctx context.Context) (cluster.ID, error) {
	out, err := exec.CommandContext(ctx, b.cli, "apps", "info", "--json", "-a", b.app).Output()
	if err != nil {
		return "", fmt.Errorf("ask for the app's id: %w", err)
	}
	var app struct{ ID cluster.ID }
	if err := json.Unmarshal(out, &app); err != nil {
		return "", fmt.Errorf("read the app's id: %w", err)
	}
	return app.ID, nil
}
