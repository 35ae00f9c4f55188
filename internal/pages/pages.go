// Package pages gives back what of the program's own file is in memory and not in
// use: a start goes through most of it, and what runs then through a small part. The
// kernel keeps mapped code longer than other pages, also when memory gets scarce.
package pages

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"aorta/internal/pause"
)

const (
	settled = time.Minute // after which a start has ended
	again   = time.Hour   // what is done now and then goes through other parts
)

// Keep gives back what is not in use, until ctx ends. What fails is logged: it costs
// memory alone.
func Keep(ctx context.Context, log *slog.Logger) error {
	for wait := settled; pause.For(ctx, wait); wait = again {
		if err := Drop(); err != nil {
			log.Warn("the program stays in memory as a whole", "err", err)
		}
	}
	return ctx.Err()
}

// Drop unmaps all of the program's file that can't be written. What is needed is
// mapped again, from the kernel's copy while there is one, else from the disk.
func Drop() error {
	all, err := mappings()
	if err != nil {
		return fmt.Errorf("find what of the program is in memory: %w", err)
	}
	for _, m := range all {
		if _, _, failed := unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED); failed != 0 {
			return fmt.Errorf("give back what of the program is not in use: %w", failed)
		}
	}
	return nil
}

type mapping struct{ from, to uintptr }

// mappings are those of the program's file, without what is written to.
func mappings() ([]mapping, error) {
	program, err := os.Stat("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var list []mapping
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var m mapping
		var modes, offset, device string
		var inode uint64
		_, err := fmt.Sscanf(lines.Text(), "%x-%x %s %s %s %d", &m.from, &m.to, &modes, &offset, &device, &inode)
		if err != nil {
			return nil, err
		}
		if inode == program.Sys().(*syscall.Stat_t).Ino && !strings.Contains(modes, "w") {
			list = append(list, m)
		}
	}
	return list, lines.Err()
}
