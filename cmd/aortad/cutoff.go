package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"aorta/heart"
	"aorta/heart/cutoff"
	"aorta/internal/config"
	"aorta/internal/procs"
)

// watchdogCommand makes this program the process that ends what is to stop when its node
// is cut off, for a heart.
const watchdogCommand = "watch-cut-off"

// watchdogName is that process's among the daemons of a node.
const watchdogName = "cut-off"

// watchdog starts that process, which outlives this one, when the heart asks for it the
// first time, and again when it is gone.
func (d *daemon) watchdog(cfg heart.Config) (func(context.Context) error, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	dog := procs.New(procs.Spec{
		Name: watchdogName, Path: strings.TrimSuffix(path, " (deleted)"), Args: []string{watchdogCommand, cfg.CutOffDir()},
		Dir: cfg.CutOffDir(), StateDir: d.path("state"), LogPath: d.path("cutoff.log"),
	}, d.log)
	return dog.Open, nil
}

// watchCutOff is the process itself.
func watchCutOff(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%w: aortad %s DIR is started by a heart", config.ErrUsage, watchdogCommand)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	// The last that is killed for want of memory. Not everybody may set that.
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte("-1000"), 0); err != nil {
		log.Warn("this process is killed for want of memory as any other", "err", err)
	}
	return cutoff.Watch(ctx, args[0], log)
}
