package docker

import (
	"context"
	"fmt"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"aorta/pacemaker/cluster"
)

// Event is a change of an instance's container.
type Event struct {
	Instance    cluster.ID
	OutOfMemory bool // the kernel killed a process of it for its memory limit
}

// Watch calls changed for each start, end and removal of an instance's
// container until ctx ends or the stream breaks. It is a wake-up only: events
// of an engine that restarts are lost, so a caller looks at everything again
// after each new Watch; ready is called once events can no longer be missed.
func (e *Engine) Watch(ctx context.Context, ready func(), changed func(Event)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := e.ours().Add("type", string(events.ContainerEventType)).
		Add("event", string(events.ActionStart), string(events.ActionDie), string(events.ActionOOM), string(events.ActionDestroy))
	stream := e.cli.Events(ctx, client.EventsListOptions{Filters: f})
	ready()
	for {
		select {
		case m := <-stream.Messages:
			if id, err := cluster.ParseID(m.Actor.Attributes[cluster.LabelInstance]); err == nil {
				changed(Event{Instance: id, OutOfMemory: m.Action == events.ActionOOM})
			}
		case err := <-stream.Err:
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil {
				return fmt.Errorf("the event stream of the Docker engine at %s ended", e.host)
			}
			return e.fault("stream events", err)
		}
	}
}
