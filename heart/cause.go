package heart

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"aorta/heart/docker"
	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
)

// exitCause says why a process that ended was never healthy.
func (r *runner) exitCause(ctx context.Context, rec record, c docker.Container) string {
	if rec.Spec.Command != "" && (c.ExitCode == 127 || c.ExitCode == 126) {
		tail, err := r.h.engine.Tail(ctx, r.id, tailLines)
		if err == nil && lacksShell(tail) {
			return "its image has no /bin/sh, which its command needs: write the command as a list, which needs none (command: [./work, --fast] in aorta.yml), or use an image with a shell"
		}
	}
	return exitText(rec.Spec, c) + " before it was healthy"
}

// lacksShell recognises docker-init's message when it can't run the shell.
func lacksShell(lines []string) bool {
	for _, l := range lines {
		if strings.Contains(l, "exec /bin/sh failed") {
			return true
		}
	}
	return false
}

// exitText says how a process ended.
func exitText(s cluster.InstanceSpec, c docker.Container) string {
	limit := s.Limits.OrDefault().Memory
	switch code := c.ExitCode; {
	case c.OOM:
		return fmt.Sprintf("it ran out of memory: it used more than its limit of %s (raise it: aorta ps type %s --memory %s)", cluster.Bytes(limit), s.Type, cluster.Bytes(2*limit))
	case code == sigkilled:
		return fmt.Sprintf("its process was ended by signal 9 (SIGKILL); if nobody sent that, it hit its memory limit of %s", cluster.Bytes(limit))
	case code > 128 && code < 160:
		return fmt.Sprintf("its process was ended by signal %d (%s)", code-128, syscall.Signal(code-128))
	default:
		return fmt.Sprintf("its process exited with code %d", code)
	}
}

// ifSlow is the next step of who only needed more time.
const ifSlow = "if it needs longer, set health: {start_timeout: …} of its process type in aorta.yml"

// unhealthyCause says why a running process did not become healthy in time.
func (r *runner) unhealthyCause(c docker.Container, limit time.Duration, now time.Time) string {
	if !errors.Is(r.lastCheck, errNotListening) {
		return fmt.Sprintf("its health check failed for %s: %s; %s", duration.Text(limit), r.lastCheck, ifSlow)
	}
	found, err := listenersOf(c.Pid)
	if err != nil {
		r.h.log.Warn("can't read where an instance listens", "instance", r.id, "err", err)
	}
	if p, at := judge(found); p == unreached && !r.misplaced.isRefused(p, at, now) {
		found = nil // it has only just come to listen there
	}
	return listenCause(found, limit)
}

// listenCause compares where a process listens with where it should.
func listenCause(found []listener, limit time.Duration) string {
	p, at := judge(found)
	switch {
	case p == unreached && at[0].addr == netip.IPv6Unspecified():
		return fmt.Sprintf("it listens on %s for IPv6 alone, and requests come by IPv4; listen on 0.0.0.0, or on :: with the socket's IPV6_V6ONLY off", at[0])
	case p == unreached:
		return fmt.Sprintf("it listens on %s inside its container only; listen on 0.0.0.0", at[0])
	case p == elsewhere:
		return fmt.Sprintf("it listens on %s, not on PORT (%d); listen on 0.0.0.0:$PORT", join(at), docker.ContainerPort)
	}
	// On PORT it came to listen after the last check.
	return fmt.Sprintf("it did not listen on PORT (%d) within its start timeout of %s; %s", docker.ContainerPort, duration.Text(limit), ifSlow)
}
