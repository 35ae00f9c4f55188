package build

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"aorta/heart/docker"
	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
)

// lifeline is the descriptor of a pipe that says nothing. It ends with the
// process that started this one.
const lifeline = 3

// Child is the process of one build: it reads an order and the source from in,
// and writes events to out. It ends with its parent; a signal that is meant for
// that, such as of a service that stops, is no reason to.
func Child(ctx context.Context, in io.Reader, out io.Writer) error {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() { // ends the process
		_, _ = os.NewFile(lifeline, "lifeline").Read(make([]byte, 1))
		os.Exit(1)
	}()
	if err := beNice(); err != nil {
		return err
	}
	source := bufio.NewReaderSize(in, 64<<10)
	line, err := source.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read what to build: %w", err)
	}
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		return fmt.Errorf("read what to build: %w", err)
	}
	if err := limitMemory(o.Memory); err != nil {
		return err
	}
	say := newReporter(out)
	read, err := limitCPU(o.CPU, func() {
		say.end(cluster.BuildResult{}, cluster.Invalid("", "reading the source of %s took more than %s of processor time (deploy less: fewer files, fewer folders within one another, fewer patterns in .dockerignore)", o.Spec.App, duration.Text(o.CPU)))
		os.Exit(0)
	})
	if err != nil {
		return err
	}
	engine, err := docker.Open(docker.Options{Host: o.Host, Cluster: o.Spec.Cluster})
	if err != nil {
		say.end(cluster.BuildResult{}, err)
		return nil
	}
	defer engine.Close()
	say.end((&maker{order: o, engine: engine, tell: say, read: read}).make(ctx, source))
	return nil
}

// limitMemory ends this process when it takes so many bytes more than now. The
// collector works harder before that, and the kernel, when memory is short, ends
// this process before the one that started it.
func limitMemory(most int64) error {
	now, err := dataSize()
	if err != nil {
		return err
	}
	debug.SetMemoryLimit(most / 4 * 3)
	limit := uint64(now + most)
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		return fmt.Errorf("limit the memory of a build's process: %w", err)
	}
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0) // a wish: builds work without
	return nil
}

// dataSize is what RLIMIT_DATA counts of this process, in bytes.
func dataSize() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("read the memory of a build's process: %w", err)
	}
	_, after, _ := strings.Cut(string(status), "\nVmData:")
	var kB int64
	if _, err := fmt.Sscan(after, &kB); err != nil {
		return 0, fmt.Errorf("read the memory of a build's process: %w", err)
	}
	return kB << 10, nil
}
