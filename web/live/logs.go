package live

import (
	"context"
	"strconv"
	"time"

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
	leave, err := s.logFollowers.take(ctx)
	if err != nil {
		return nil, err
	}
	entries, err := s.followLog(ctx, in.App(), q, from)
	if err != nil {
		leave()
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer leave()
		relayLogs(openStream(hc), entries)
	}}, nil
}

// relayLogs ends with the channel, which ends with the request.
func relayLogs(s *eventStream, entries <-chan logstore.Entry) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case e, open := <-entries:
			if !open {
				return
			}
			event := entryEvent(e)
			err = s.send(event.name, event.id, event.value)
		case <-beat.C:
			err = s.beat()
		}
		if err != nil {
			return // the client is gone
		}
	}
}

// entryEvent is an entry as an event.
func entryEvent(e logstore.Entry) ownEvent {
	cursor := strconv.FormatUint(e.Cursor, 10)
	if e.Missed > 0 {
		return ownEvent{"missed", cursor, map[string]uint64{"n": e.Missed}}
	}
	return ownEvent{"line", cursor, view.LogLine(e.Line, cursor)}
}
