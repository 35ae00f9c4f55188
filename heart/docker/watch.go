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
// container until ctx ends or the stream breaks. Events while it is not
// subscribed are lost, so callers inspect everything when ready is called, which
// is once the subscription holds.
func (e *Engine) Watch(ctx context.Context, ready func(), changed func(Event)) error {
	f := e.clusterFilter().Add("type", string(events.ContainerEventType)).
		Add("event", string(events.ActionStart), string(events.ActionDie), string(events.ActionOOM), string(events.ActionDestroy))
	return e.events(ctx, f, ready, func(m events.Message) {
		if id, err := cluster.ParseID(m.Actor.Attributes[cluster.LabelInstance]); err == nil {
			changed(Event{Instance: id, OutOfMemory: m.Action == events.ActionOOM})
		}
	})
}

// WatchImages calls changed once it is subscribed, and then for each change of
// what Inventory shows, also of other images, until ctx ends or the stream breaks.
func (e *Engine) WatchImages(ctx context.Context, changed func()) error {
	f := make(client.Filters).Add("type", string(events.ImageEventType), string(events.ContainerEventType)).
		Add("event", string(events.ActionTag), string(events.ActionUnTag), string(events.ActionDelete), string(events.ActionPull),
			string(events.ActionLoad), string(events.ActionCreate), string(events.ActionDestroy))
	return e.events(ctx, f, changed, func(events.Message) { changed() })
}

// events hands on what passes a filter until ctx ends or the stream breaks.
func (e *Engine) events(ctx context.Context, f client.Filters, ready func(), each func(events.Message)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream := e.cli.Events(ctx, client.EventsListOptions{Filters: f})
	ready()
	for {
		select {
		case m := <-stream.Messages:
			each(m)
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
