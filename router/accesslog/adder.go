package accesslog

import (
	"strings"
	"time"

	"aorta/router/stats"
)

// maxInterned bounds how many ids are remembered; beyond it they start anew.
const maxInterned = 1 << 16

// adder turns lines into hits and adds them up by shard. It is not for several
// goroutines at once.
type adder struct {
	batches  [stats.Shards]*stats.Batch
	lines    int   // added or rejected since the last take
	size     int   // of the batches together
	rejected int   // of them, lines that are no records
	latest   int64 // time of the last line, Unix ns

	line  Line
	hit   stats.Hit
	tried []string
	ids   map[string]id
}

// id is a string that outlives the line it came from.
type id struct {
	text  string
	shard int
}

func newAdder() *adder {
	a := &adder{ids: map[string]id{}}
	a.renew()
	return a
}

func (a *adder) renew() {
	for i := range a.batches {
		a.batches[i] = stats.NewBatch()
	}
	a.lines, a.size, a.rejected = 0, 0, 0
}

// add counts the line that ends at offset end of f, unless its shard has it.
func (a *adder) add(text string, end int64, f *file) {
	a.lines++
	if err := parse(text, &a.line); err != nil {
		if end > f.skip[stats.Shards-1] {
			a.rejected++
		}
		return
	}
	l := &a.line
	a.latest = l.Time
	app := a.id(l.App)
	if end <= f.skip[app.shard] {
		return
	}
	a.tried = a.tried[:0]
	for _, instance := range l.Tried {
		a.tried = append(a.tried, a.id(instance).text)
	}
	a.hit = stats.Hit{
		Time: time.Unix(0, l.Time),
		App:  app.text, Release: a.id(l.Release).text, Type: a.id(l.Type).text,
		Instance: a.id(l.Instance).text, Node: a.id(l.Node).text,
		Status: class(l.Status), Bytes: l.Bytes, Seconds: float64(l.Nanoseconds) / 1e9,
		Attempts: l.Attempts(), Tried: a.tried,
	}
	b := a.batches[app.shard]
	before := b.Size()
	b.Add(&a.hit)
	a.size += b.Size() - before
}

// class is the status to count by: what is in none of the classes is a failure
// of the server's.
func class(status int) int {
	if status < 100 || status > 599 {
		return 599
	}
	return status
}

// id interns s: the line's text must not stay in memory for one id in it.
func (a *adder) id(s string) id {
	known, ok := a.ids[s]
	if ok {
		return known
	}
	if len(a.ids) >= maxInterned {
		clear(a.ids)
	}
	own := strings.Clone(s)
	known = id{own, stats.ShardOf(own)}
	a.ids[own] = known
	return known
}
