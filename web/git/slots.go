package git

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aorta/internal/broadcast"
	"aorta/internal/duration"
	"aorta/internal/gitrepo"
	"aorta/internal/quota"
	"aorta/pacemaker/cluster"
)

// slotWait is how long a client waits for its turn before it is told to come again.
const slotWait = 10 * time.Second

// gitBudget is what all processes that take in pushes may have together, in bytes, if a
// quarter of the memory that there is for this process is not less.
const gitBudget = 4 << 30

// slots bound how many of one kind of conversation go on at a time, in all and of an
// app, whoever waits for whom.
type slots struct {
	*quota.Quota
	what    string // in the plural
	wait    time.Duration
	changed *broadcast.Signal
}

func newSlots(what string, all, each int) *slots {
	return &slots{Quota: quota.New(all, each), what: what, wait: slotWait, changed: broadcast.New()}
}

// turns are the slots of each kind of conversation.
type turns struct {
	refs   *slots // that list refs
	fetch  *slots
	intake *slots // pushes whose objects git takes in, which costs memory
	pushes *slots // and those that wait for a deploy and follow it
}

// newTurns makes them for a process that can have so much memory, in bytes; 0 makes the
// fewest.
func newTurns(memory int64) turns {
	budget := min(gitBudget, memory/4)
	intake := int(min(8, max(1, budget/gitrepo.ClientMemory)))
	fetch := int(min(16, max(4, 2*budget/gitrepo.ClientMemory)))
	return turns{
		refs:   newSlots("requests for refs", 32, 16),
		fetch:  newSlots("fetches", fetch, fetch/4),
		intake: newSlots("pushes that are being taken in", intake, min(2, max(1, intake/2))),
		pushes: newSlots("pushes that are followed", 64, 16),
	}
}

// take waits a moment for a slot of an app. The error says who has them. Call leave
// when done; more than once does no harm.
func (s *slots) take(ctx context.Context, app string) (leave func(), err error) {
	until := time.NewTimer(s.wait)
	defer until.Stop()
	for {
		changed := s.changed.C()
		if leave, ok := s.Take(app); ok {
			return func() { leave(); s.changed.Notify() }, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-until.C:
			return nil, s.busy()
		}
	}
}

// busy says who has the slots.
func (s *slots) busy() error {
	held := s.Held()
	var whose []string
	for _, app := range slices.Sorted(maps.Keys(held)) {
		whose = append(whose, fmt.Sprintf("%d of %s", held[app], app))
	}
	return cluster.Unavailable("this waited %s for other %s (%s), of which there may be %d, and %d of an app: try again in a moment",
		duration.Text(s.wait), s.what, strings.Join(whose, ", "), s.All, s.Each)
}
