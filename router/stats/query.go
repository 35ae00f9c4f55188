package stats

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// Query says what to add up. Beside App at most one dimension is set. Without
// App (NoApp is one) it is all apps, whole or by Node or Router.
//
// A record counts when the start of its step is in [From, To): windows that
// touch add up. Steps are seconds for the last ten minutes, then minutes for two
// days, then hours for 90 days; of an instance there are ten minutes.
type Query struct {
	App, Release, Type, Node, Router, Instance string

	From, To time.Time
	Step     time.Duration // of Series; under a second it is one
}

// Point is one step of a series.
type Point struct {
	Time     time.Time // start of the step, a multiple of it since 1970
	Counters Counters
}

// ErrQuery says that a query asks for what is not counted.
var ErrQuery = errors.New("statistics are kept by one of release, type, node, router and instance; without an app only by node and router")

// Window is the sum over [From, To).
func (s *Store) Window(ctx context.Context, q Query) (Counters, error) {
	found, err := s.read(ctx, q)
	var sum Counters
	for _, c := range found {
		sum.Add(c)
	}
	return sum, err
}

// Series is the sum of each step in [From, To) that has any, in order: gaps are
// gaps. What is kept in coarser steps than Step comes in those.
func (s *Store) Series(ctx context.Context, q Query) ([]Point, error) {
	found, err := s.read(ctx, q)
	if err != nil {
		return nil, err
	}
	found = found.coarser(max(1, int64(q.Step/time.Second)))
	points := make([]Point, 0, len(found))
	for _, at := range slices.Sorted(maps.Keys(found)) {
		points = append(points, Point{time.Unix(at, 0).UTC(), found[at]})
	}
	return points, nil
}

func (q Query) dim() (dim, error) {
	d, set := dim(dimApp), 0
	for prefix, value := range map[dim]string{
		dimRelease: q.Release, dimType: q.Type, dimNode: q.Node, dimRouter: q.Router, dimInstance: q.Instance,
	} {
		if value != "" {
			d, set = prefix+dim(value), set+1
		}
	}
	if set > 1 || q.App == "" && (q.Release != "" || q.Type != "" || q.Instance != "") {
		return "", ErrQuery
	}
	return d, nil
}

// read finds the steps in [From, To), of the app or of all.
func (s *Store) read(ctx context.Context, q Query) (steps, error) {
	d, err := q.dim()
	if err != nil {
		return nil, err
	}
	found := steps{}
	if q.App != "" {
		shard := ShardOf(q.App)
		oldest, err := s.rdb.ZScore(ctx, appsKey(shard), q.App).Result()
		if errors.Is(err, redis.Nil) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read when app %s is due: %w", q.App, err)
		}
		return found, s.readApps(ctx, found, q, []want{{shard, q.App, d, oldest}})
	}
	for shard := range Shards {
		apps, err := s.rdb.ZRangeWithScores(ctx, appsKey(shard), 0, -1).Result()
		if err != nil {
			return nil, fmt.Errorf("read the apps of shard %d: %w", shard, err)
		}
		wants := make([]want, len(apps))
		for i, app := range apps {
			wants[i] = want{shard, app.Member.(string), d, app.Score}
		}
		if err := s.readApps(ctx, found, q, wants); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// want is one dimension of one app, and when the roller's oldest work on the
// app is or was due.
type want struct {
	shard  int
	app    string
	dim    dim
	oldest float64
}

// slots are the keys that may hold something of [From, To).
func (w want) slots(q Query, now time.Time) []slot {
	oldest := int64(min(w.oldest, float64(now.Unix())))
	// Clocks of routers may be ahead, but not by days.
	to := min(q.To.Unix(), now.Add(24*time.Hour).Unix())
	var all []slot
	for i, l := range levels {
		// Data there is due at the latest when it leaves its level.
		for start := l.start(max(q.From.Unix(), oldest-l.span-l.keep, 0)); start <= to; start += l.span {
			all = append(all, slot{i, start, w.dim})
		}
		if w.dim.brief() {
			break
		}
	}
	return all
}

// readApps adds the data in [From, To) to found. One command reads all levels
// of an app, since between two of them the roller could move records past the
// reader.
func (s *Store) readApps(ctx context.Context, found steps, q Query, wants []want) error {
	now := time.Now()
	var slots [][]slot
	var answers []*redis.SliceCmd
	_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, w := range wants {
			var keys []string
			all := w.slots(q, now)
			for _, at := range all {
				keys = append(keys, at.key(w.shard, w.app))
			}
			if len(keys) > 0 {
				slots, answers = append(slots, all), append(answers, p.MGet(ctx, keys...))
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the statistics: %w", err)
	}
	for i, answer := range answers {
		if err := found.unpackAll(slots[i], answer.Val(), q); err != nil {
			return err
		}
	}
	return nil
}

func (s steps) unpackAll(slots []slot, values []any, q Query) error {
	for i, value := range values {
		packed, ok := value.(string)
		if !ok {
			continue
		}
		if err := s.unpackWithin(slots[i], packed, q); err != nil {
			return fmt.Errorf("read the statistics: %w", err)
		}
	}
	return nil
}

// unpackWithin adds the steps of a value that start in [From, To).
func (s steps) unpackWithin(at slot, packed string, q Query) error {
	all := steps{}
	if err := all.unpack(levels[at.level], at.start, packed); err != nil {
		return err
	}
	for second, c := range all {
		if start := time.Unix(second, 0); !start.Before(q.From) && start.Before(q.To) {
			s.add(second, c)
		}
	}
	return nil
}
