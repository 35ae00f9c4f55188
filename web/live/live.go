package live

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aorta/web/access"
	"aorta/web/live/hub"
	"aorta/web/rest"
	"aorta/web/wire"
)

// liveBeat is how often a live stream sends a sign of life: a page knows by its
// absence that what it shows gets old.
const liveBeat = 2 * time.Second

type followLive struct {
	Topics string `query:"topics" required:"true" maxLength:"24576" doc:"topics, separated by commas: overview, apps, jobs, app:NAME, node:NAME, one job:ID, and one logs:APP?QUERY with the parameters of logs. The last two continue after an id that was seen: job:ID@SEEN, logs:APP@SEEN. QUERY and SEEN are percent-encoded."`
	Last   string `header:"Last-Event-ID" maxLength:"16384" doc:"accepted for browsers, and ignored: a reconnected stream sends everything again"`
}

// Routes adds the event streams.
func (s *Streams) Routes(h *rest.API) {
	rest.Register(h, rest.Route{
		Method: rest.Get, Path: "/live", Role: access.Viewer, Subject: access.OnSelf, // each topic asks for its own
		Summary: "Follow what changes (Server-Sent Events: hello, overview, apps, jobs, app, node, gone; of a job: job, step, log, end; of a log: line, missed)",
	}, s.follow)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}/logs/stream", Summary: "Follow logs (Server-Sent Events: line, missed)", Role: access.Viewer, Subject: access.OnApp}, s.followLogs)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/jobs/{id}/events", Summary: "Follow a job tree (Server-Sent Events: job, step, log, end)", Role: access.Viewer, Subject: access.OnApp}, s.followJob)
}

func (s *Streams) follow(ctx context.Context, in *followLive) (*huma.StreamResponse, error) {
	topics, err := parseTopics(in.Topics)
	if err != nil {
		return nil, err
	}
	for _, topic := range topics.shared {
		if err := s.permitShared(ctx, topic); err != nil {
			return nil, err
		}
	}
	ctx, leave, err := s.pages.take(ctx)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer leave()
		stream := s.hub.Open(topics.shared)
		defer stream.Close()
		s.relay(ctx, liveWriter{openStream(hc), s.pace.Epoch()}, stream, topics)
	}}, nil
}

// relay ends with the request, with the hub, or with a reader that is gone.
func (s *Streams) relay(ctx context.Context, w liveWriter, stream *hub.Stream, topics topics) {
	var group sync.WaitGroup
	defer group.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	own := s.followOwn(ctx, &group, topics)
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	err := w.send("hello", w.id(0), wire.LiveHello{Cluster: string(s.pace.Cluster()), Version: s.version, Epoch: s.pace.Epoch(), Time: time.Now().UTC()})
	for err == nil {
		select {
		case <-ctx.Done():
			return
		case f, open := <-stream.Frames():
			if !open {
				return
			}
			err = w.put(f.Event, w.id(f.N), f.Data)
		case e := <-own:
			err = w.own(e)
		case <-beat.C:
			err = w.beat()
		}
	}
}

// liveWriter writes events whose ids name the pacemaker's term.
type liveWriter struct {
	*eventStream
	epoch uint64
}

func (w liveWriter) id(n uint64) string { return fmt.Sprintf("%d-%d", w.epoch, n) }

func (w liveWriter) own(e ownEvent) error {
	defer close(e.written)
	if e.entries != nil {
		return w.entries(e.entries)
	}
	return w.send(e.name, e.id, e.value)
}
