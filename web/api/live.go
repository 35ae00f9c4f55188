package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/web/live"
	"aorta/web/wire"
)

const (
	// liveBeat is how often a live stream says that it lives: a page tells by
	// its absence that what it shows gets old.
	liveBeat = 2 * time.Second
	// writeLimit is how long a reader may take nothing before it is let go of.
	writeLimit = 20 * time.Second
	maxTopics  = 8
)

// The topics of a live stream. That of one app is topicApp and its name.
const (
	topicOverview = "overview"
	topicApps     = "apps"
	topicJobs     = "jobs"
	topicApp      = "app:"
)

type followLive struct {
	Topics string `query:"topics" required:"true" maxLength:"500" doc:"what to tell of, with commas between: overview, apps, jobs, app:NAME"`
	Last   string `header:"Last-Event-ID" maxLength:"64" doc:"accepted for browsers' sake: whoever comes back is told everything again"`
}

func (a *API) liveRoutes(h huma.API) {
	register(h, a, route{method: get, path: "/live", summary: "Follow what changes (Server-Sent Events: hello, overview, apps, jobs, app, gone)", policy: viewers}, a.followLive)
}

// parseTopics reads the list of topics, without repeats.
func parseTopics(text string) ([]string, error) {
	var topics []string
	for topic := range strings.SplitSeq(text, ",") {
		name, ofApp := strings.CutPrefix(topic, topicApp)
		switch {
		case ofApp && cluster.ValidateName("topics", name) == nil:
		case !slices.Contains([]string{topicOverview, topicApps, topicJobs}, topic):
			return nil, cluster.Invalid("topics", "%.40q is no topic (overview, apps, jobs, app:NAME)", topic)
		}
		if !slices.Contains(topics, topic) {
			topics = append(topics, topic)
		}
	}
	if len(topics) > maxTopics {
		return nil, cluster.Invalid("topics", "%d topics are more than %d", len(topics), maxTopics)
	}
	return topics, nil
}

func (a *API) followLive(ctx context.Context, in *followLive) (*huma.StreamResponse, error) {
	topics, err := parseTopics(in.Topics)
	if err != nil {
		return nil, err
	}
	stream, err := a.Live.Open(topics)
	if errors.Is(err, live.ErrFull) {
		return nil, cluster.Unavailable("%v: close pages that nobody looks at, and try again", err)
	}
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer stream.Close()
		a.relayLive(ctx, liveWriter{openStream(hc), a.pace.Epoch()}, stream)
	}}, nil
}

// relayLive ends with the request, with the hub, or with a reader that is gone.
func (a *API) relayLive(ctx context.Context, w liveWriter, stream *live.Stream) {
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	err := w.hello(wire.LiveHello{Cluster: string(a.pace.Cluster()), Version: a.Version, Epoch: a.pace.Epoch(), Time: time.Now().UTC()})
	for err == nil {
		select {
		case <-ctx.Done():
			return
		case f, open := <-stream.Frames():
			if !open {
				return
			}
			err = w.frame(f)
		case <-beat.C:
			err = w.beat()
		}
	}
}

// liveWriter writes frames, whose data is JSON already.
type liveWriter struct {
	*eventStream
	epoch uint64
}

// limit bounds the next write: a reader that takes nothing would hold it for
// ever.
func (w liveWriter) limit() {
	if rw, ok := w.w.(http.ResponseWriter); ok {
		// What can't be bounded is written all the same.
		_ = http.NewResponseController(rw).SetWriteDeadline(time.Now().Add(writeLimit))
	}
}

func (w liveWriter) hello(h wire.LiveHello) error {
	w.limit()
	return w.send("hello", fmt.Sprintf("%d-0", w.epoch), h)
}

func (w liveWriter) frame(f live.Frame) error {
	w.limit()
	_, err := fmt.Fprintf(w.w, "id: %d-%d\nevent: %s\ndata: %s\n\n", w.epoch, f.N, f.Event, f.Data)
	w.flush()
	return err
}

func (w liveWriter) beat() error {
	w.limit()
	return w.eventStream.beat()
}
