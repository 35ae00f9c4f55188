package live

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/following"
	"aorta/web/access"
	"aorta/web/view"
	"aorta/web/wire"
)

type followJob struct {
	access.JobPath
	Last string `header:"Last-Event-ID" maxLength:"16384"`
}

func (s *Streams) followJob(ctx context.Context, in *followJob) (*huma.StreamResponse, error) {
	op := in.Operation()
	after, err := following.ParsePosition("Last-Event-ID", in.Last)
	if err != nil {
		return nil, err
	}
	ctx, leave, err := s.jobFollowers.take(ctx)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer leave()
		out := openStream(hc)
		err := s.pace.Following.Follow(ctx, op.ID, after, func(u following.Update) error { return s.sendUpdate(ctx, out, u) })
		if err != nil && ctx.Err() == nil {
			s.log.Warn("a job's event stream ended early", "job", op.ID, "err", err)
		}
	}}, nil
}

func (s *Streams) sendUpdate(ctx context.Context, out *eventStream, u following.Update) error {
	e, err := s.updateEvent(ctx, u)
	switch {
	case err != nil:
		return err
	case e.name == "":
		return out.beat()
	}
	return out.send(e.name, e.id, e.value)
}

// updateEvent is an update as an event; one that says nothing has no name.
func (s *Streams) updateEvent(ctx context.Context, u following.Update) (ownEvent, error) {
	switch {
	case u.Job != nil:
		j := view.Job(*u.Job)
		j.WaitsFor = view.Ahead(u.Waits)
		return ownEvent{name: "job", value: j}, nil
	case u.Step != nil:
		return ownEvent{name: "step", value: view.Step(*u.Step)}, nil
	case u.Line != nil:
		return ownEvent{name: "log", id: u.Position.String(), value: view.JobLine(u.LineOf, *u.Line)}, nil
	case u.End != nil:
		root, err := s.ended(ctx, *u.End)
		return ownEvent{name: "end", value: root}, err
	}
	return ownEvent{}, nil
}

// ended is the root of an operation that has just ended.
func (s *Streams) ended(ctx context.Context, op cluster.Operation) (wire.Job, error) {
	root, err := s.view.Root(ctx, op)
	if err != nil || op.State == cluster.OperationSucceeded {
		return root, err
	}
	root.Outcome, err = s.pace.Outcome(ctx, op)
	return root, err
}
