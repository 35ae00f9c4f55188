package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/logstore"
	"aorta/web/access"
	"aorta/web/view"
)

type followLogs struct {
	access.AppPath
	view.LogQuery
	Last string `header:"Last-Event-ID" maxLength:"40"`
}

func (s *Streams) followLogs(ctx context.Context, in *followLogs) (*huma.StreamResponse, error) {
	q, err := s.view.Lines(ctx, in.App(), in.LogQuery)
	if err != nil {
		return nil, err
	}
	var from uint64
	if in.Last != "" {
		if from, err = strconv.ParseUint(in.Last, 10, 64); err != nil {
			return nil, cluster.Invalid("Last-Event-ID", "%.40q is not an id of this stream", in.Last)
		}
	}
	ctx, leave, err := s.logFollowers.take(ctx)
	if err != nil {
		return nil, err
	}
	follower, err := s.followLog(ctx, in.App(), q, from)
	if err != nil {
		leave()
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer leave()
		relayLogs(ctx, openStream(hc), follower)
	}}, nil
}

// relayLogs ends with the request, the log, or a reader that is gone.
func relayLogs(ctx context.Context, s *eventStream, follower *logstore.Follower) {
	for {
		some, err := nextEntries(ctx, follower)
		switch {
		case err == nil:
			err = s.entries(some)
		case errors.Is(err, errQuiet):
			err = s.beat()
		}
		if err != nil {
			return
		}
	}
}

// errQuiet says that a log had nothing new for a while.
var errQuiet = errors.New("nothing new")

func nextEntries(ctx context.Context, follower *logstore.Follower) ([]*logstore.Entry, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, heartbeat, errQuiet)
	defer cancel()
	some, err := follower.Next(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return some, err
}

// entries writes entries of a log, each made into an event once for all its readers.
func (s *eventStream) entries(some []*logstore.Entry) error {
	texts := make([][]byte, len(some))
	for i, e := range some {
		texts[i] = e.Form(entryText)
	}
	return s.write(texts...)
}

// entryText is an entry as the text of its event.
func entryText(e *logstore.Entry) []byte {
	cursor := strconv.FormatUint(e.Cursor, 10)
	name, value := "missed", any(map[string]uint64{"n": e.Missed})
	if e.Missed == 0 {
		name, value = "line", view.LogLine(e.Line(), cursor)
	}
	data, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("encode a line: %v", err)) // strings and a time of this age: it can't fail
	}
	return slices.Concat(eventHead(name, cursor), data, eventEnd)
}
