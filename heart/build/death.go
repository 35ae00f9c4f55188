package build

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"

	"aorta/pacemaker/cluster"
)

// maxSaid is how much is kept of what a process that dies says, in bytes: the
// cause comes first.
const maxSaid = 16 << 10

// diedError is a process that ended without a result. Another one would read the
// same source and end in the same way.
type diedError struct{ text string }

func (d *diedError) Error() string { return d.text }

// death says why the process has ended without a result; err is how.
func (p *process) death(err error) error {
	said := p.said.String()
	died := func(format string, args ...any) error { return &diedError{fmt.Sprintf(format, args...)} }
	const final = "the same source would end it again, so it is not tried again"
	switch {
	case lacksMemory(said):
		return died("reading the source of %s took more than %s of memory: the process of its build was ended (deploy less: leave out files, or shorten Dockerfile, aorta.yml and the other files that are read)", p.spec.App, cluster.Bytes(p.memory))
	case errors.Is(err, errNoEvent):
		return died("the process that builds %s %v; %s (its log is that of the builder's daemon)", p.spec.App, errNoEvent, final)
	}
	exit := new(exec.ExitError)
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return died("the process that builds %s was ended by a signal (%s), as by a kernel that is short of memory; deploy it again, or give the builder's machine more memory", p.spec.App, status.Signal())
		}
	}
	first, _, _ := strings.Cut(said, "\n")
	return died("the process that builds %s ended without a result: %s; %s (more is in the log of the builder's daemon)", p.spec.App, cluster.Clip(first), final)
}

// lacksMemory recognises what the Go runtime, and the race detector's, say when
// the kernel gives them no more, also for the stack of a thread.
func lacksMemory(said string) bool {
	for _, words := range []string{"out of memory", "cannot allocate memory", "failed to allocate", "pthread_create failed"} {
		if strings.Contains(said, words) {
			return true
		}
	}
	return false
}

// head keeps the first bytes that are written to it.
type head struct {
	limit int
	buf   []byte
}

// Write never fails.
func (h *head) Write(p []byte) (int, error) {
	h.buf = append(h.buf, p[:min(len(p), h.limit-len(h.buf))]...)
	return len(p), nil
}

func (h *head) String() string {
	return strings.ToValidUTF8(string(h.buf), "\uFFFD")
}
