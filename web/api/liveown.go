package api

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// ownEvent is an event for one reader alone.
type ownEvent struct {
	name, id string
	value    any
}

// tell hands an event to the writer of a stream; it fails once that has ended.
type tell func(ownEvent) error

// tellOwn tells of the topics that one stream alone follows, until ctx ends.
func (a *API) tellOwn(ctx context.Context, group *sync.WaitGroup, t topics) <-chan ownEvent {
	out := make(chan ownEvent, 16)
	say := func(e ownEvent) error {
		select {
		case out <- e:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if t.job != nil {
		group.Go(func() { a.tellJob(ctx, *t.job, say) }) // ends with ctx
	}
	if t.logs != nil {
		group.Go(func() { a.tellLogs(ctx, *t.logs, say) }) // ends with ctx
	}
	return out
}

// tellJob tells of a job tree until it has ended.
func (a *API) tellJob(ctx context.Context, t jobTopic, say tell) {
	a.keepTelling(ctx, t.name, say, func() error {
		op, err := a.operation(ctx, JobPath{ID: t.id})
		if err != nil {
			return err
		}
		return a.pace.Follow(ctx, op.ID, t.after, func(u pacemaker.Update) error {
			e, err := a.updateEvent(ctx, u)
			if err != nil || e.name == "" {
				return err
			}
			if u.Line != nil {
				t.after = u.Mark
			}
			return say(e)
		})
	})
}

// errLogCut says that a log stopped telling, though its reader is still there.
var errLogCut = errors.New("the log's follower ended")

// tellLogs tells of an app's log until the app is gone.
func (a *API) tellLogs(ctx context.Context, t logsTopic, say tell) {
	a.keepTelling(ctx, t.name, say, func() error {
		app, q, err := a.query(ctx, AppPath{App: t.app}, t.query)
		if err != nil {
			return err
		}
		entries, err := a.Logs.Follow(ctx, app.ID, q, t.after)
		if err != nil {
			return err
		}
		for e := range entries {
			if err := say(entryEvent(e)); err != nil {
				return err
			}
			t.after = e.Cursor
		}
		return errLogCut
	})
}

// keepTelling does what tells of a topic until it has told all or ctx ends. A
// topic that there is not is told to be gone; the rest of its stream goes on.
// After a failure it goes on a little later, from where it was.
func (a *API) keepTelling(ctx context.Context, topic string, say tell, do func() error) {
	var log logOnce
	for {
		err := do()
		if err == nil || ctx.Err() != nil {
			return
		}
		if code := cluster.CodeOf(err); code == cluster.CodeNotFound || code == cluster.CodeInvalid {
			_ = say(ownEvent{name: "gone", value: wire.LiveGone{Topic: topic, Text: err.Error()}}) // fails only with ctx
			return
		}
		log.report(a.Log, "the live topic "+topic, err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(ownRetry + rand.N(ownRetry)):
		}
	}
}

// ownRetry is how long a topic rests at the least after it has failed.
const ownRetry = time.Second
