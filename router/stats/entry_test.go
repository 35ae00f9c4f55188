package stats

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func sample() *Batch {
	b := NewBatch()
	h := hit(time.Unix(1763688000, 0))
	steady(b, h, 100, rand.New(rand.NewPCG(1, 2)))
	h.Tried, h.Attempts, h.Release, h.Bytes = []string{inst2}, 2, "", math.MaxInt64
	b.Add(&h)
	b.Add(&Hit{Time: time.Unix(1763688001, 0), Status: 404})
	return b
}

func TestBatch_ReadsItsEntry(t *testing.T) {
	want := sample()

	body, rest, whole, err := cut(string(want.entry()) + "more")
	got := NewBatch()
	read := got.read(body)

	for _, c := range want.cells {
		c.Counters = c.bounded()
	}
	if !whole || rest != "more" || err != nil || read != nil {
		t.Fatalf("got %v, %q, %v, %v; want one whole entry, and more", whole, rest, err, read)
	}
	allow := cmp.AllowUnexported(Batch{}, cell{}, cellKey{}, triedKey{})
	got.last, want.last, got.lastKey, want.lastKey = nil, nil, cellKey{}, cellKey{}
	if diff := cmp.Diff(want, got, allow); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
}

func TestBatch_ReadsNothingOfABrokenEntry(t *testing.T) {
	body, _, _, _ := cut(string(sample().entry()))
	for size := range len(body) {
		b := NewBatch()
		if err := b.read(body[:size]); err == nil || b.Size() > 0 || b.Len() > 0 {
			t.Fatalf("the first %d bytes: got %v and a batch of %d, want an error and nothing", size, err, b.Size())
		}
	}
}

func FuzzBatch_Read(f *testing.F) {
	body, _, _, _ := cut(string(sample().entry()))
	f.Add(body)
	f.Add(body[:len(body)/2])
	f.Add("\x01\x00\x00\x00")
	f.Fuzz(func(t *testing.T, body string) {
		b := NewBatch()
		if err := b.read(body); err != nil && b.Size() > 0 {
			t.Errorf("got %v and a batch of %d, want nothing of a broken entry", err, b.Size())
		}
		for key, c := range b.cells {
			if key.second < 0 || c.Requests > math.MaxInt64 || c.Bytes > math.MaxInt64 {
				t.Errorf("got %+v %+v, want numbers that a server can add", key, c)
			}
		}
		if b.Len() == 0 {
			return
		}
		again, rest, whole, err := cut(string(b.entry()))
		if !whole || rest != "" || err != nil {
			t.Fatalf("got %v, %q, %v; want what was read to be one entry", whole, rest, err)
		}
		if err := NewBatch().read(again); err != nil {
			t.Errorf("got %v, want what was read to be read again", err)
		}
	})
}
