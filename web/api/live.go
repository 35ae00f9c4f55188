package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/web/live"
	"aorta/web/wire"
)

// liveBeat is how often a live stream says that it lives: a page tells by its
// absence that what it shows gets old.
const liveBeat = 2 * time.Second

type followLive struct {
	Topics string `query:"topics" required:"true" maxLength:"24576" doc:"what to tell of, with commas between: overview, apps, jobs, app:NAME; and of one job job:ID, of one app's log logs:APP?QUERY with the log's own parameters. These two go on behind an id of theirs that was seen: job:ID@SEEN, logs:APP@SEEN. QUERY and SEEN are percent-encoded."`
	Last   string `header:"Last-Event-ID" maxLength:"16384" doc:"accepted for browsers' sake: whoever comes back is told everything again"`
}

func (a *API) liveRoutes(h huma.API) {
	register(h, a, route{
		method: get, path: "/live", policy: viewers,
		summary: "Follow what changes (Server-Sent Events: hello, overview, apps, jobs, app, gone; of a job: job, log, end; of a log: line, missed)",
	}, a.followLive)
}

func (a *API) followLive(ctx context.Context, in *followLive) (*huma.StreamResponse, error) {
	topics, err := parseTopics(in.Topics)
	if err != nil {
		return nil, err
	}
	stream, err := a.Live.Open(string(userOf(ctx).ID), topics.shared)
	if errors.Is(err, live.ErrFull) {
		return nil, cluster.Unavailable("%v: close pages that nobody looks at, and try again", err)
	}
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer stream.Close()
		a.relayLive(ctx, liveWriter{openStream(hc), a.pace.Epoch()}, stream, topics)
	}}, nil
}

// relayLive ends with the request, with the hub, or with a reader that is gone.
func (a *API) relayLive(ctx context.Context, w liveWriter, stream *live.Stream, topics topics) {
	var group sync.WaitGroup
	defer group.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	own := a.tellOwn(ctx, &group, topics)
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	err := w.send("hello", w.id(0), wire.LiveHello{Cluster: string(a.pace.Cluster()), Version: a.Version, Epoch: a.pace.Epoch(), Time: time.Now().UTC()})
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
			err = w.send(e.name, e.id, e.value)
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
