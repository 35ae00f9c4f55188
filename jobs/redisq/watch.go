package redisq

import (
	"context"
	"encoding/json"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/jobs"
)

// Event wakes a watcher; what it says may be old, so read again what matters.
type Event struct {
	Tree  string                `json:"tree,omitempty"`
	State jobs.State            `json:"state,omitempty"` // of the tree
	Jobs  map[string]jobs.State `json:"jobs,omitempty"`  // those that changed
	Lost  bool                  `json:"lost,omitempty"`  // the tree vanished from Redis: add it again
	Log   string                `json:"log,omitempty"`   // a job with new log lines
	// Resync says that events may have been missed: read everything again.
	Resync bool `json:"resync,omitempty"`
}

// watchTick is how often a watcher is woken, message or not.
const watchTick = 15 * time.Second

// watchBuffer is how far a watcher may lag before events become one Resync.
const watchBuffer = 256

func changeEvent(t *jobs.Tree, changed []string) []byte {
	e := Event{Tree: t.ID, State: t.State, Jobs: make(map[string]jobs.State, len(changed))}
	for _, id := range changed {
		e.Jobs[id] = t.Jobs[id].State
	}
	text, _ := json.Marshal(e) // strings only: it can't fail
	return text
}

// publish is best effort: events only wake.
func (l *loop) publish(ctx context.Context, e Event) {
	text, _ := json.Marshal(e)
	_ = l.rdb.Publish(ctx, channelChanged, text).Err()
}

// Watch sends an event for each change of a tree and each flush of a log, until
// ctx ends; then the channel is closed. It begins with a Resync, sends one after
// each loss of the connection and when the reader is slow, and one now and then.
func (k *Keeper) Watch(ctx context.Context) <-chan Event {
	out := make(chan Event, watchBuffer)
	sub := k.rdb.Subscribe(ctx, channelChanged)
	go func() {
		defer close(out)
		defer func() { _ = sub.Close() }()
		_ = sub.PSubscribe(ctx, channelLogs)
		forward(ctx, sub.ChannelWithSubscriptions(redis.WithChannelHealthCheckInterval(subscriptionCheck)), out)
	}()
	return out
}

// forward never blocks on the watcher: what does not fit becomes one Resync,
// which the watcher gets as soon as it has read what came before, however long
// nothing else happens.
func forward(ctx context.Context, in <-chan any, out chan<- Event) {
	tick := time.NewTimer(jitter(watchTick))
	defer tick.Stop()
	var missed chan<- Event // out while a Resync is owed
	for {
		e := Event{Resync: true}
		select {
		case <-ctx.Done():
			return
		case missed <- e:
			missed = nil
			continue
		case <-tick.C:
			tick.Reset(jitter(watchTick))
		case m, ok := <-in:
			if !ok {
				return
			}
			e = eventOf(m)
		}
		if missed != nil {
			continue // the pending Resync covers this one as well
		}
		select {
		case out <- e:
		default:
			missed = out
		}
	}
}

func eventOf(m any) Event {
	msg, ok := m.(*redis.Message)
	if !ok {
		return Event{Resync: true} // subscribed, for the first time or again
	}
	if msg.Channel != channelChanged {
		return Event{Log: msg.Payload}
	}
	var e Event
	if json.Unmarshal([]byte(msg.Payload), &e) != nil {
		return Event{Resync: true}
	}
	return e
}
