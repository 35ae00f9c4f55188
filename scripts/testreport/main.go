// Command testreport runs `go test -json` with the arguments it is given and
// tells the outcome so that it can be read at a glance and by a program: a line
// per package, every failure in full, the ten slowest tests, and last of all
//
//	N passed, N failed, N skipped
//
// It ends with 1 when anything failed, when no test ran, or when a test was
// skipped in a run without -short: there, every test is expected to find what
// it needs. It does not choose tests and installs nothing.
//
//	go run ./scripts/testreport -race -count=1 ./...
package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

func main() {
	args := os.Args[1:]
	r, err := run(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "testreport: %v\n", err)
	}
	verdict := r.verdict(slices.Contains(args, "-short"))
	if lines := r.slowest(); len(lines) > 0 {
		fmt.Println("The slowest tests:\n" + strings.Join(lines, "\n"))
	}
	if verdict != "" {
		fmt.Println(verdict)
	}
	fmt.Println(r.summary())
	if err != nil || verdict != "" {
		os.Exit(1)
	}
}

// run starts go test and reads it to its end. An exit code that the events
// explain is no error of its own.
func run(args []string) (*report, error) {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	// The race detector holds each process that ends for a second, and tests start many.
	// Goroutines that nobody has ended, which it waits for, are what goleak finds.
	cmd.Env = append(os.Environ(), "GORACE="+strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0"))
	cmd.Stderr = os.Stderr
	r := newReport(os.Stdout)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return r, fmt.Errorf("open a pipe to go test: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return r, fmt.Errorf("start go test: %w", err)
	}
	readErr := r.read(out)
	if err := cmd.Wait(); err != nil && r.failed == 0 {
		return r, fmt.Errorf("run go test: %w", err)
	}
	return r, readErr
}
