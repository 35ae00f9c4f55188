package redisq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/jobs"
)

// Tree reads a tree as it is stored. jobs.ErrNotFound: there is none, or it has
// ended and was handed over.
func (k *Keeper) Tree(ctx context.Context, id string) (*jobs.Tree, error) {
	fields, err := k.rdb.HGetAll(ctx, treeKey(id)).Result()
	if err != nil {
		return nil, fmt.Errorf("read tree %s: %w", id, err)
	}
	if fields["v"] == "" {
		return nil, fmt.Errorf("tree %s: %w", id, jobs.ErrNotFound)
	}
	t, err := parseTree(id, fields)
	if err != nil {
		return nil, err
	}
	return t.Tree, nil
}

// Filter chooses trees; an empty field chooses all.
type Filter struct {
	Operation string
	App       string // of the root's subject
	Node      string // of the root's subject
}

func (f Filter) matches(t *jobs.Tree) bool {
	s := t.Jobs[t.ID].Subject
	return (f.Operation == "" || f.Operation == t.Operation) &&
		(f.App == "" || f.App == s.App) && (f.Node == "" || f.Node == s.Node)
}

// List reads the trees that are stored: open ones, and ended ones not handed
// over yet. Oldest first.
func (k *Keeper) List(ctx context.Context, f Filter) ([]*jobs.Tree, error) {
	ids, err := k.rdb.SMembers(ctx, keyTrees).Result()
	if err != nil {
		return nil, fmt.Errorf("read the index of trees: %w", err)
	}
	var out []*jobs.Tree
	for _, id := range ids {
		t, err := k.Tree(ctx, id)
		if errors.Is(err, jobs.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if f.matches(t) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *jobs.Tree) int {
		if d := a.Created.Compare(b.Created); d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
}

// LogLine is one line of a job's log.
type LogLine struct {
	ID   string    // of the stream entry; pass the last one to go on behind it
	Time time.Time // by the Redis server's clock, to the millisecond
	Text string
}

// Log reads the lines of an open job's log behind the line with the id from, or
// all for "". About the last 2000 lines are kept.
func (k *Keeper) Log(ctx context.Context, jobID, from string) ([]LogLine, error) {
	at, ok := k.locations.find(jobID)
	if !ok {
		return nil, fmt.Errorf("log of job %s: %w", jobID, jobs.ErrNotFound)
	}
	start := "-"
	if from != "" {
		start = "(" + from
	}
	entries, err := k.rdb.XRange(ctx, keysOf(at.queue).jobLog(jobID), start, "+").Result()
	if err != nil {
		return nil, fmt.Errorf("read the log of job %s: %w", jobID, err)
	}
	out := make([]LogLine, 0, len(entries))
	for _, e := range entries {
		if _, isLine := e.Values["l"]; isLine { // others only make the stream
			out = append(out, logLine(e))
		}
	}
	return out, nil
}

func logLine(e redis.XMessage) LogLine {
	text, _ := e.Values["l"].(string)
	ms, _, _ := strings.Cut(e.ID, "-")
	n, _ := strconv.ParseInt(ms, 10, 64)
	return LogLine{ID: e.ID, Time: time.UnixMilli(n), Text: strings.ToValidUTF8(text, "�")}
}
