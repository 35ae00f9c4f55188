package stats

import (
	"encoding/binary"
	"errors"
)

// An entry is a batch on its way from a router to the pacemaker. All numbers are
// uvarints; a name is the place of one in the list, counted from 1, or 0 for none:
//
//	size of what follows, version,
//	[names: how many, then each as size and bytes],
//	[cells: how many, then each as second, app, release, type, instance, node,
//	how many attempts went elsewhere, a record as in codec.go],
//	[tries that failed: how many, then each as second, app, instance, how many]
const entryVersion = 1

// What an entry may hold. A batch of a tailer stays below: see MaxSize.
const (
	maxName      = 255     // bytes
	maxNumber    = 1 << 46 // of a cell: sums of all that is counted at once stay whole
	maxEntrySize = 4 << 20 // bytes
	maxSecond    = 1 << 40 // unix time
	maxCells     = 2 * MaxSize
	minCellSize  = 10 // bytes
)

// errEntry says that what lies in an inbox was written by none of our routers.
var errEntry = errors.New("the inbox holds no batch of a router")

// entryWriter collects names while the rest is written.
type entryWriter struct {
	places map[string]uint64
	names  []byte
	rest   []byte
}

func (w *entryWriter) number(n uint64) { w.rest = binary.AppendUvarint(w.rest, n) }

func (w *entryWriter) name(s string) {
	if s == "" || len(s) > maxName {
		w.number(0)
		return
	}
	place, known := w.places[s]
	if !known {
		place = uint64(len(w.places) + 1)
		w.places[s] = place
		w.names = append(binary.AppendUvarint(w.names, uint64(len(s))), s...)
	}
	w.number(place)
}

// entry is the batch as it lies in an inbox; empty without hits.
func (b *Batch) entry() []byte {
	if b.Len() == 0 {
		return nil
	}
	w := entryWriter{places: map[string]uint64{}}
	w.number(uint64(len(b.cells)))
	for key, c := range b.cells {
		w.number(uint64(key.second))
		for _, name := range []string{key.app, key.release, key.typ, key.instance, key.node} {
			w.name(name)
		}
		w.number(c.away)
		w.rest = appendRecord(w.rest, c.bounded())
	}
	w.number(uint64(len(b.tried)))
	for key, n := range b.tried {
		w.number(uint64(key.second))
		w.name(key.app)
		w.name(key.instance)
		w.number(n)
	}
	body := binary.AppendUvarint([]byte{entryVersion}, uint64(len(w.places)))
	body = append(append(body, w.names...), w.rest...)
	return append(binary.AppendUvarint(nil, uint64(len(body))), body...)
}

// bounded is c with no number that an entry can't hold.
func (c Counters) bounded() Counters {
	c.Requests, c.Attempts, c.Bytes = min(c.Requests, maxNumber), min(c.Attempts, maxNumber), min(c.Bytes, maxNumber)
	return c
}

// cut takes the first entry off what lies in an inbox. It reports false when that
// holds less than one whole entry.
func cut(inbox string) (body, rest string, whole bool, err error) {
	size, n := binary.Uvarint([]byte(inbox[:min(len(inbox), binary.MaxVarintLen64+1)]))
	switch {
	case n < 0, n > 0 && (size == 0 || size > maxEntrySize):
		return "", "", false, errEntry
	case n == 0, uint64(len(inbox)-n) < size:
		return "", inbox, false, nil
	}
	return inbox[n : n+int(size)], inbox[n+int(size):], true, nil
}

// read adds an entry to the batch, or nothing of it.
func (b *Batch) read(body string) error {
	r := entryReader{reader: reader{rest: []byte(body)}}
	if r.next() != entryVersion {
		return errEntry
	}
	r.readNames()
	read := NewBatch()
	for range r.count(minCellSize) {
		r.cell(read)
	}
	for range r.count(4) {
		key := triedKey{second: r.second(), app: r.name(), instance: r.name()}
		read.tried[key] += r.number()
	}
	if r.broken || len(r.rest) > 0 || len(read.cells) == 0 {
		return errEntry
	}
	b.merge(read)
	return nil
}

func (b *Batch) merge(o *Batch) {
	b.requests += o.requests
	for key, c := range o.cells {
		b.addCell(key, c)
	}
	for key, n := range o.tried {
		b.tried[key] += n
	}
}

func (b *Batch) addCell(key cellKey, c *cell) {
	sum := b.cell(key)
	sum.Add(c.Counters)
	sum.away += c.away
}

// entryReader reads what may be anything; once broken, all of it is 0 or empty.
type entryReader struct {
	reader
	names []string
}

// count reads how many of something follow, each at least so many bytes long.
func (r *entryReader) count(size int) uint64 {
	n := r.next()
	if n > maxCells || n*uint64(size) > uint64(len(r.rest)) {
		r.broken = true
		return 0
	}
	return n
}

func (r *entryReader) readNames() {
	n := r.next()
	if n > uint64(len(r.rest)) {
		r.broken = true
		return
	}
	for range n {
		size := r.next()
		if size == 0 || size > maxName || size > uint64(len(r.rest)) {
			r.broken = true
			return
		}
		r.names = append(r.names, string(r.rest[:size]))
		r.rest = r.rest[size:]
	}
}

func (r *entryReader) name() string {
	place := r.next()
	switch {
	case place == 0:
		return ""
	case place > uint64(len(r.names)):
		r.broken = true
		return ""
	}
	return r.names[place-1]
}

func (r *entryReader) number() uint64 {
	n := r.next()
	r.broken = r.broken || n > maxNumber
	return n
}

func (r *entryReader) second() int64 {
	n := r.next()
	r.broken = r.broken || n > maxSecond
	return int64(n)
}

func (r *entryReader) cell(b *Batch) {
	key := cellKey{second: r.second(), app: r.name(), release: r.name(), typ: r.name(), instance: r.name(), node: r.name()}
	away := r.number()
	c := cell{Counters: r.record(), away: away}
	for _, n := range append([]uint64{c.Requests, c.Attempts, c.Bytes}, c.Status[:]...) {
		r.broken = r.broken || n > maxNumber
	}
	for _, bucket := range c.Latency {
		r.broken = r.broken || bucket.N > maxNumber
	}
	if r.broken {
		return
	}
	b.addCell(key, &c)
	b.requests += int(c.Requests)
}
