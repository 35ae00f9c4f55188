package live

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/following"
	"aorta/pacemaker/logstore"
	"aorta/web/access"
	"aorta/web/wire"
)

// ownEvent is an event for one reader alone, or some of a log.
type ownEvent struct {
	name, id string
	value    any
	entries  []*logstore.Entry
	written  chan<- struct{}
}

// emit gives an event to the writer of a stream and waits until it is written: a
// reader that is slow has one waiting. It fails once the stream has ended.
type emit func(ownEvent) error

// followOwn follows the topics of one stream alone, until ctx ends.
func (s *Streams) followOwn(ctx context.Context, group *sync.WaitGroup, t topics) <-chan ownEvent {
	out := make(chan ownEvent)
	send := func(e ownEvent) error {
		written := make(chan struct{})
		e.written = written
		select {
		case out <- e:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-written:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if t.job != nil {
		group.Go(func() { s.jobTopic(ctx, *t.job, send) }) // ends with ctx
	}
	if t.logs != nil {
		group.Go(func() { s.logsTopic(ctx, *t.logs, send) }) // ends with ctx
	}
	return out
}

// jobTopic reports a job tree until it has ended.
func (s *Streams) jobTopic(ctx context.Context, t jobTopic, send emit) {
	s.keepOn(ctx, t.name, send, func() error {
		op, err := s.operation(ctx, t.id)
		if err != nil {
			return err
		}
		if err := permit(ctx, "following job "+t.id, access.Subject{Kind: access.OnApp, App: cluster.App{ID: op.AppID}}); err != nil {
			return err
		}
		return s.pace.Following.Follow(ctx, op.ID, t.after, func(u following.Update) error {
			e, err := s.updateEvent(ctx, u)
			if err != nil || e.name == "" {
				return err
			}
			if u.Line != nil {
				t.after = u.Position
			}
			return send(e)
		})
	})
}

// logsTopic reports an app's log until the app is gone.
func (s *Streams) logsTopic(ctx context.Context, t logsTopic, send emit) {
	s.keepOn(ctx, t.name, send, func() error {
		app, err := s.store.App(ctx, t.app)
		if err != nil {
			return err
		}
		if err := permit(ctx, "following the log of app "+t.app, access.Subject{Kind: access.OnApp, App: app}); err != nil {
			return err
		}
		q, err := s.view.Lines(ctx, app, t.query)
		if err != nil {
			return err
		}
		follower, err := s.followLog(ctx, app, q, t.after)
		if err != nil {
			return err
		}
		return relayTopic(ctx, &t, follower, send)
	})
}

func relayTopic(ctx context.Context, t *logsTopic, follower *logstore.Follower, send emit) error {
	for {
		some, err := follower.Next(ctx)
		if err != nil {
			return err
		}
		if err := send(ownEvent{entries: some}); err != nil {
			return err
		}
		t.after = some[len(some)-1].Cursor
	}
}

// followLog follows an app's log. The end of an app ends those that follow its log
// then: who begins meanwhile finds that there is no app.
func (s *Streams) followLog(ctx context.Context, app cluster.App, q logstore.Query, after uint64) (*logstore.Follower, error) {
	follower, err := s.logs.Follow(ctx, app.ID, q, after)
	if err != nil {
		return nil, err
	}
	if _, err := s.store.AppByID(ctx, app.ID); cluster.CodeOf(err) == cluster.CodeNotFound {
		return nil, cluster.NotFound("app %q does not exist any more (list those that do: aorta apps)", app.Name)
	} else if err != nil {
		return nil, err
	}
	return follower, nil
}

// keepOn follows a topic until it has ended or ctx ends. A topic that does not
// exist, or that its reader may not see, is reported as gone; the rest of its
// stream goes on. After a failure it goes on a little later, from where it was.
func (s *Streams) keepOn(ctx context.Context, topic string, send emit, follow func() error) {
	var log logOnce
	for {
		err := follow()
		if err == nil || ctx.Err() != nil {
			return
		}
		switch cluster.CodeOf(err) {
		case cluster.CodeNotFound, cluster.CodeInvalid, cluster.CodeForbidden:
			_ = send(ownEvent{name: "gone", value: wire.LiveGone{Topic: topic, Text: err.Error()}}) // fails only with ctx
			return
		}
		log.report(s.log, "the live topic "+topic, err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(ownRetry + rand.N(ownRetry)):
		}
	}
}

// ownRetry is how long a topic rests at the least after it has failed.
const ownRetry = time.Second
