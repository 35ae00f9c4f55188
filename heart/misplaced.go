package heart

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"aorta/heart/docker"
	"aorta/internal/duration"
)

// place is where a process listens, seen from what requests need.
type place int

const (
	nowhere   place = iota
	onPort          // as it should
	elsewhere       // on other ports alone
	unreached       // on PORT, at an address that no request comes to
)

const (
	// unreachedTime is how long a process may listen on PORT at an address that no
	// request comes to: it has opened what it opens last.
	unreachedTime = 5 * time.Second
	// elsewhereTime is how long it may listen on other ports alone. Many open one
	// for themselves first, so it has to be idle by then, too; and one that is given
	// more time to start has more here.
	elsewhereTime  = 20 * time.Second
	elsewhereShare = 3 // of the start's time, one part
	// idleCores is what a process uses at the most that does nothing.
	idleCores = 0.05
)

// judge finds out where a process listens; at has the sockets that matter.
func judge(found []listener) (p place, at []listener) {
	for _, l := range found {
		switch {
		case l.port != docker.ContainerPort:
			at = append(at, l)
		case l.addr == netip.IPv6Unspecified() || !l.addr.IsUnspecified():
			return unreached, []listener{l}
		default:
			return onPort, nil
		}
	}
	if len(at) == 0 {
		return nowhere, nil
	}
	return elsewhere, at
}

// misplaced watches a start whose process listens where no request comes. One that
// stays there has failed before its time is up. It takes the time from outside.
type misplaced struct {
	at    string // where, as it is told
	since time.Time
}

// see takes where the process listens now. It says whether it is known to fail:
// for limit the start may take, cores is what it uses, nil where that is not known.
func (m *misplaced) see(p place, at []listener, limit time.Duration, cores *float64, now time.Time) (fails bool) {
	where := fmt.Sprint(p, at)
	if where != m.at {
		m.at, m.since = where, now
	}
	held := now.Sub(m.since)
	switch p {
	case unreached:
		return held >= unreachedTime
	case elsewhere:
		return held >= max(elsewhereTime, limit/elsewhereShare) && cores != nil && *cores < idleCores
	}
	return false
}

// isRefused says that a process which listens on PORT is not reached there. The check
// that failed came before the look at its sockets, and it may have begun to listen in
// between: one that failed after an earlier look tells.
func (m *misplaced) isRefused(p place, at []listener, now time.Time) bool {
	return p == unreached && m.at == fmt.Sprint(p, at) && now.After(m.since)
}

// describe is what a start waits for, and for how long it has been so, in words.
func (m *misplaced) describe(p place, at []listener, now time.Time) string {
	var text string
	switch {
	case m.isRefused(p, at, now):
		text = fmt.Sprintf("listens on %s, where no request comes", at[0])
	case p == elsewhere:
		text = fmt.Sprintf("listens on %s, waiting for PORT (%d)", join(at), docker.ContainerPort)
	default:
		text = fmt.Sprintf("waiting for it to listen on PORT (%d)", docker.ContainerPort)
	}
	return text + lasting(now.Sub(m.since))
}

// lasting tells how long something has been so, in steps that grow: each is a line
// for whoever follows a push.
func lasting(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return ""
	case d < 30*time.Second:
		return ", for 10s"
	case d < time.Minute:
		return ", for 30s"
	}
	return ", for " + duration.Text(d.Truncate(time.Minute))
}

func join(list []listener) string {
	words := make([]string, len(list))
	for i, l := range list {
		words[i] = l.String()
	}
	return strings.Join(words, ", ")
}
