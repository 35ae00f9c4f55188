// Package watch finds out whether the parts of a node work, by using each of them
// again and again as those do who need it: a process that lives may hang all the
// same. It mends nothing.
package watch

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"aorta/internal/tick"
	"aorta/pacemaker/cluster"
)

// interval and limit together let a fault be known within six seconds.
const (
	interval = 2 * time.Second  // between two uses of a part
	limit    = 3 * time.Second  // of one use, unless the probe has another
	idle     = 30 * time.Second // between two looks at one that hangs in a use
)

// Probe uses one part.
type Probe struct {
	Kind  cluster.PartKind
	Name  string         // see cluster.Part
	Roles []cluster.Role // that need the part; none: all
	Limit time.Duration  // of one use; 3 s when 0
	Grace time.Duration  // how long it may be out of order before that is said
	// Silent is the sentence for a part that does not answer in time, or fails with
	// an error that is not meant for people.
	Silent string
	// Use returns nil when the part is in order. The message of a cluster.Error is
	// told to people; Minor makes it one by which nothing fails yet.
	Use func(context.Context) error
}

// Watch knows the parts of one node. Make it with New.
type Watch struct {
	log   *slog.Logger
	pulse pulse

	mu    sync.Mutex // guards all of the parts
	parts []*watched
}

type watched struct {
	Probe
	part cluster.Part
	ok   time.Time // when it was in order last, or was first used
}

// New makes one that knows no part yet.
func New(log *slog.Logger) *Watch { return &Watch{log: log} }

// Add makes the part known, and returns the loop that uses it until its context
// ends.
func (w *Watch) Add(p Probe) (loop func(context.Context) error) {
	if p.Limit == 0 {
		p.Limit = limit
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	one := &watched{Probe: p, part: cluster.Part{Kind: p.Kind, Name: p.Name}, ok: time.Now()}
	w.parts = append(w.parts, one)
	return func(ctx context.Context) error { return w.run(ctx, one) }
}

func (w *Watch) run(ctx context.Context, one *watched) error {
	for {
		w.use(ctx, one)
		if !tick.Next(ctx, interval) {
			return ctx.Err()
		}
	}
}

// use uses the part once. A use that does not end with its context, as on a file
// system that hangs, is waited for: a second one would hang too.
func (w *Watch) use(ctx context.Context, one *watched) {
	began := time.Now()
	bounded, cancel := context.WithTimeout(ctx, one.Limit)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- one.Use(bounded) }() // ends with its use
	hung := time.NewTimer(one.Limit + limit/4)
	defer hung.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-done:
			if ctx.Err() == nil {
				w.note(one, began, err)
			}
			return
		case <-hung.C:
			w.note(one, began, errHangs)
			hung.Reset(idle)
		}
	}
}

var errHangs = errors.New("it does not return")

// note takes what a use said that began at a time. Silence is not the part's while
// this process is late itself: what was known of it stands.
func (w *Watch) note(one *watched, began time.Time, err error) {
	if err != nil && !errors.As(err, new(*cluster.Error)) && w.pulse.tooLate(began) {
		return
	}
	w.mu.Lock()
	now, before := time.Now(), one.part.Fault
	if err == nil {
		one.ok, one.part.Fault, one.part.Minor = now, "", false
	} else if before != "" || now.Sub(one.ok) >= one.Grace {
		one.part.Fault, one.part.Minor = one.sentence(err), IsMinor(err)
	}
	after := one.part.Fault
	w.mu.Unlock()
	switch {
	case before == "" && after != "":
		w.log.Warn("a part of this node is out of order", "part", one.Name, "fault", after, "err", err)
	case before != "" && after == "":
		w.log.Info("a part of this node is in order again", "part", one.Name)
	}
}

func (p Probe) sentence(err error) string {
	var coded *cluster.Error
	if !errors.As(err, &coded) {
		return p.Silent
	}
	first, n := utf8.DecodeRuneInString(coded.Message)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(coded.Message[n:], ".") + "."
}

// Parts are the parts as they are now, in the order in which they were added.
func (w *Watch) Parts() []cluster.Part {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]cluster.Part, len(w.parts))
	for i, one := range w.parts {
		list[i] = one.part
		if one.part.Fault != "" {
			list[i].Ago = time.Since(one.ok)
		}
	}
	return list
}

// Trouble is what keeps a role from its work, nil for nothing: the faults of what
// it needs, without the minor ones.
func (w *Watch) Trouble(role cluster.Role) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var faults []string
	for _, one := range w.parts {
		needed := len(one.Roles) == 0 || slices.Contains(one.Roles, role)
		if needed && one.part.Fault != "" && !one.part.Minor {
			faults = append(faults, one.part.Fault)
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return cluster.Unavailable("%s", strings.Join(faults, " "))
}

// minor is an error by which nothing fails yet.
type minor struct{ error }

func (m minor) Unwrap() error { return m.error }

// Minor is err as one by which nothing fails yet.
func Minor(err error) error { return minor{err} }

// IsMinor says that nothing fails by err yet.
func IsMinor(err error) bool { return errors.As(err, new(minor)) }
