package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

type bench struct {
	cli, app, router, host, store string
	pid                           int
}

// figures of one run.
type figures struct {
	total            int
	printed, arrived time.Duration // from the start to the last line
	lateness         []time.Duration
	cpu              time.Duration // of the daemon, user and system
}

func (f figures) per(d time.Duration) float64 { return float64(f.total) / d.Seconds() }

// late is how late the slowest of so many percent of the lines is.
func (f figures) late(percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(f.lateness))
	return sorted[(len(sorted)-1)*percent/100]
}

// run follows the app's log, of which flags may choose lines, lets the app print,
// and reads until the last line.
func (b *bench) run(ctx context.Context, rate, seconds int, flags ...string) (f figures, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.cli, append([]string{"logs", "-f", "--json", "-n", "1", "-a", b.app}, flags...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return f, fmt.Errorf("follow the app's log: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return f, fmt.Errorf("follow the app's log: %w", err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	if len(flags) == 0 && !lines.Scan() { // the newest one: from here on all come
		return f, fmt.Errorf("the log of %s ended before its first line: %v", b.app, lines.Err())
	}
	f.total = rate * seconds
	before, begun := b.cpu(), time.Now()
	failed := make(chan error, 1)
	go func() { // ends with the request, which ends with ctx
		err := b.ask(ctx, rate, seconds)
		f.printed = time.Since(begun)
		if failed <- err; err != nil {
			cancel()
		}
	}()
	err = f.read(lines)
	f.arrived, f.cpu = time.Since(begun), b.cpu()-before
	if asked := <-failed; asked != nil {
		return f, asked
	}
	return f, err
}

// ask lets the app print, and returns when it has.
func (b *bench) ask(ctx context.Context, rate, seconds int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/?rate=%d&seconds=%d", b.router, rate, seconds), nil)
	if err != nil {
		return fmt.Errorf("ask the app to print: %w", err)
	}
	req.Host = b.host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the app to print: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the app to print: %s, %q, %v", resp.Status, text, err)
	}
	return nil
}

// read takes lines up to the last one.
func (f *figures) read(lines *bufio.Scanner) error {
	for lines.Scan() {
		var l struct{ Text string }
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return fmt.Errorf("read a line of the log: %w", err)
		}
		n, at, ok := printed(l.Text)
		if !ok {
			continue
		}
		f.lateness = append(f.lateness, time.Since(at))
		if n == f.total-1 {
			return nil
		}
	}
	return fmt.Errorf("the log ended before line %d: %v", f.total-1, lines.Err())
}

// printed reads a line of the printer; others are the platform's.
func printed(text string) (n int, at time.Time, ok bool) {
	var nanos int64
	_, err := fmt.Sscanf(text, "line %d %d", &n, &nanos)
	return n, time.Unix(0, nanos), err == nil
}

// cpu is what the daemon has used; the kernel counts it in hundredths of a second.
func (b *bench) cpu() time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", b.pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	fields, sum := strings.Fields(rest), 0
	for _, i := range []int{11, 12} {
		n, _ := strconv.Atoi(fields[i])
		sum += n
	}
	return time.Duration(sum) * 10 * time.Millisecond
}
