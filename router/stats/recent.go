package stats

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// The windows of Recent.
const (
	RateSeconds   = 10 // of Recently.Last
	MinuteSeconds = 60 // of Recently.Minute
	SparkSeconds  = 10 // of one value of Recently.Spark
	SparkSteps    = 60
)

// Recently is what an app answered in the last ten minutes.
type Recently struct {
	Last   Counters           // of the last RateSeconds whole seconds
	Minute Answers            // of the last MinuteSeconds whole seconds
	Spark  [SparkSteps]uint32 // requests per SparkSeconds, oldest first
}

// Answers are requests, and how many of them were answered 5xx.
type Answers struct{ Requests, Errors uint64 }

// AllApps names in Recent's answer the sum of all apps and of NoApp.
const AllApps = ""

const (
	// arrival is how long after a second its last lines may be committed: what
	// is younger is left out.
	arrival = 500*time.Millisecond + takeInterval
	// rereadInterval is how long a tailer's late lines about past minutes may
	// stay unseen.
	rereadInterval = 30 * time.Second
)

// Recent follows the last ten minutes of all apps. Past minutes are kept in
// memory, so that a reading asks for one or two keys per app. It is not for several
// goroutines at once.
type Recent struct {
	store *Store
	apps  map[string]map[int64]minute // by the start of the minute
	whole time.Time                   // when all minutes were read last
}

// minute is what each second had.
type minute [60]second

type second struct{ requests, errors uint32 }

// Recent begins with nothing read.
func (s *Store) Recent() *Recent { return &Recent{store: s, apps: map[string]map[int64]minute{}} }

// Read gives every app that has statistics, and AllApps.
func (r *Recent) Read(ctx context.Context, now time.Time) (map[string]Recently, error) {
	w := windowAt(now)
	if now.Sub(r.whole) >= rereadInterval || now.Before(r.whole) {
		w.read = w.minutes
	}
	apps, err := r.store.appsByShard(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.readMinutes(ctx, w, apps); err != nil {
		r.whole = time.Time{} // some minutes may have been passed over
		return nil, err
	}
	if len(w.read) == len(w.minutes) {
		r.whole = now
	}
	return r.sum(w), nil
}

// window is what one Read covers.
type window struct {
	from, to int64   // of Spark; to lies at or before until
	until    int64   // end of Last
	minutes  []int64 // starts of all that the window touches
	read     []int64 // those of them to read
	last     map[string]Counters
}

func windowAt(now time.Time) window {
	until := now.Add(-arrival).Unix()
	w := window{until: until, to: until - until%SparkSeconds, last: map[string]Counters{}}
	w.from = w.to - SparkSeconds*SparkSteps
	seconds := levels[0]
	for start := seconds.start(w.from); start <= until; start += seconds.span {
		w.minutes = append(w.minutes, start)
		if seconds.packAt(start) > until {
			w.read = append(w.read, start)
		}
	}
	return w
}

func (s *Store) appsByShard(ctx context.Context) ([Shards][]string, error) {
	var apps [Shards][]string
	var answers [Shards]*redis.StringSliceCmd
	_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for shard := range answers {
			answers[shard] = p.ZRange(ctx, appsKey(shard), 0, -1)
		}
		return nil
	})
	if err != nil {
		return apps, fmt.Errorf("read the apps of the statistics: %w", err)
	}
	for shard, answer := range answers {
		apps[shard] = answer.Val()
	}
	return apps, nil
}

// readMinutes reads w.read of all apps, and forgets apps that have no
// statistics any more.
func (r *Recent) readMinutes(ctx context.Context, w window, apps [Shards][]string) error {
	var answers [Shards]*redis.SliceCmd
	_, err := r.store.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for shard, names := range apps {
			if keys := w.keys(shard, names); len(keys) > 0 {
				answers[shard] = p.MGet(ctx, keys...)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the last minutes: %w", err)
	}
	kept := make(map[string]map[int64]minute, len(r.apps))
	for shard, names := range apps {
		if answers[shard] == nil {
			continue
		}
		values := answers[shard].Val()
		for i, app := range names {
			kept[app] = w.merge(app, r.apps[app], values[i*len(w.read):][:len(w.read)])
		}
	}
	r.apps = kept
	return nil
}

func (w window) keys(shard int, apps []string) []string {
	keys := make([]string, 0, len(apps)*len(w.read))
	for _, app := range apps {
		for _, start := range w.read {
			keys = append(keys, slot{level: 0, start: start, dim: dimApp}.key(shard, app))
		}
	}
	return keys
}

// merge gives the app's minutes with those that were read anew. Minutes without
// a request are left out, and so are broken ones, which the roller reports: one
// app's must not hide the others.
func (w window) merge(app string, had map[int64]minute, values []any) map[int64]minute {
	minutes := make(map[int64]minute, len(had)+1)
	for start, m := range had {
		if start >= w.minutes[0] {
			minutes[start] = m
		}
	}
	for i, start := range w.read {
		delete(minutes, start)
		packed, ok := values[i].(string)
		if !ok {
			continue
		}
		if m, ok := w.unpack(app, start, packed); ok {
			minutes[start] = m
		}
	}
	return minutes
}

// unpack reads a minute's requests by second, and all of what lies in Last.
func (w window) unpack(app string, start int64, packed string) (m minute, ok bool) {
	r := reader{rest: []byte(packed)}
	for len(r.rest) > 0 {
		step := r.next()
		if step >= uint64(len(m)) {
			return m, false
		}
		at := start + int64(step)
		if at >= w.until-RateSeconds && at < w.until {
			c := r.record()
			m[step].add(c.Requests, c.Status[5])
			sum := w.last[app]
			sum.Add(c)
			w.last[app] = sum
		} else {
			m[step].add(r.answers())
		}
		if r.broken {
			return m, false
		}
	}
	return m, true
}

func (s *second) add(requests, errors uint64) {
	s.requests, s.errors = s.requests+uint32(requests), s.errors+uint32(errors)
}

// answers reads one record for its requests and those answered 5xx alone.
func (r *reader) answers() (requests, errors uint64) {
	flags := r.next()
	requests = r.next()
	if flags&flagAttempts != 0 {
		r.next()
	}
	r.next() // bytes
	for i := range 5 {
		n := requests
		switch {
		case flags&(1<<i) == 0:
			continue
		case flags&flagAlike == 0:
			n = r.next()
		}
		if i == 4 {
			errors = n
		}
	}
	r.skipLatency(flags)
	return requests, errors
}

func (r *reader) skipLatency(flags uint64) {
	if flags&flagLatency == 0 {
		return
	}
	for range min(r.next(), uint64(len(bucketLow))) {
		if r.next()&1 != 0 {
			r.next()
		}
	}
}

// sum is the answer of a Read.
func (r *Recent) sum(w window) map[string]Recently {
	out := make(map[string]Recently, len(r.apps)+1)
	var all Recently
	for app, minutes := range r.apps {
		one := w.one(app, minutes)
		out[app] = one
		all.Last.Add(one.Last)
		all.Minute.Requests += one.Minute.Requests
		all.Minute.Errors += one.Minute.Errors
		for i, n := range one.Spark {
			all.Spark[i] += n
		}
	}
	out[AllApps] = all
	return out
}

// one is the answer for one app.
func (w window) one(app string, minutes map[int64]minute) Recently {
	one := Recently{Last: w.last[app]}
	for start, m := range minutes {
		for i, n := range m {
			at := start + int64(i)
			if n.requests > 0 && at >= w.from && at < w.to {
				one.Spark[(at-w.from)/SparkSeconds] += n.requests
			}
			if at >= w.until-MinuteSeconds && at < w.until {
				one.Minute.Requests += uint64(n.requests)
				one.Minute.Errors += uint64(n.errors)
			}
		}
	}
	return one
}
