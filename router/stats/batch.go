package stats

import "time"

// Hit is one request, as the access log has it. Its strings are kept.
type Hit struct {
	Time     time.Time // of the log line: it says which second counts it
	App      string    // "" is a request of no app
	Release  string
	Type     string // process type
	Instance string // who answered, or was tried last
	Node     string
	Status   int
	Bytes    int64
	Seconds  float64 // of the whole request
	Attempts int
	// Tried names the instances that failed before Instance was asked. Their
	// attempts count with them, so a release that refuses connections shows in
	// its instances' attempts, though another release answered.
	Tried []string
}

// Batch adds up the hits of one shard in memory. It is not for several
// goroutines at once.
type Batch struct {
	requests int
	cells    map[cellKey]*cell
	tried    map[triedKey]uint64

	// Lines of one second and instance often follow one another.
	lastKey cellKey
	last    *cell
}

// cell is what one instance answered in one second.
type cell struct {
	Counters
	away uint64 // of the attempts, how many went to instances in tried
}

type cellKey struct {
	second                            int64
	app, release, typ, instance, node string
}

type triedKey struct {
	second        int64
	app, instance string
}

// NewBatch is an empty batch.
func NewBatch() *Batch {
	return &Batch{cells: map[cellKey]*cell{}, tried: map[triedKey]uint64{}}
}

// MaxSize is the Size beyond which a batch is to be committed before it gets more.
const MaxSize = 4096

// Size is how many different seconds of different things were counted.
func (b *Batch) Size() int { return len(b.cells) + len(b.tried) }

// Len is how many requests were added.
func (b *Batch) Len() int { return b.requests }

// Add counts one hit.
func (b *Batch) Add(h *Hit) {
	second := max(0, h.Time.Unix())
	c := b.cell(cellKey{second, h.App, h.Release, h.Type, h.Instance, h.Node})
	b.requests++
	c.Requests++
	c.Attempts += uint64(max(0, h.Attempts))
	c.Bytes += uint64(max(0, h.Bytes))
	if at := class(h.Status); at > 0 {
		c.Status[at]++
	}
	c.Latency.observe(bucketOf(h.Seconds), 1)
	for _, instance := range h.Tried {
		b.tried[triedKey{second, h.App, instance}]++
		c.away++
	}
}

func (b *Batch) cell(key cellKey) *cell {
	if b.last != nil && key == b.lastKey {
		return b.last
	}
	c := b.cells[key]
	if c == nil {
		c = &cell{}
		b.cells[key] = c
	}
	b.lastKey, b.last = key, c
	return c
}
