package rig

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/following"
)

// less compares two log cursors.
func less(a, b string) bool {
	parse := func(c string) []uint64 {
		ms, seq, _ := strings.Cut(c, "-")
		m, _ := strconv.ParseUint(ms, 10, 64)
		n, _ := strconv.ParseUint(seq, 10, 64)
		return []uint64{m, n}
	}
	return slices.Compare(parse(a), parse(b)) < 0
}

// FakeJobs keeps the trees that it is given and runs nothing.
type FakeJobs struct {
	mu      sync.Mutex // guards all below
	Trees   map[string]*jobs.Tree
	Logs    map[string][]following.Line
	changed chan struct{} // closed by the next change
}

func newFakeJobs() *FakeJobs {
	return &FakeJobs{Trees: map[string]*jobs.Tree{}, Logs: map[string][]following.Line{}, changed: make(chan struct{})}
}

// Change does something to what it holds and wakes the watchers.
func (f *FakeJobs) Change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
	close(f.changed)
	f.changed = make(chan struct{})
}

// Add is part of pacemaker.Jobs.
func (f *FakeJobs) Add(_ context.Context, root jobs.Spec, operation string) error {
	tree, err := jobs.New(root, operation, time.Now())
	if err != nil {
		return err
	}
	f.Change(func() { f.Trees[root.ID] = tree })
	return nil
}

// Abort is part of pacemaker.Jobs.
func (f *FakeJobs) Abort(_ context.Context, id, reason string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Trees[id] == nil {
		return jobs.ErrNotFound
	}
	return f.Trees[id].Abort(reason, time.Now())
}

// Supersede is part of pacemaker.Jobs; here no node dies.
func (f *FakeJobs) Supersede(context.Context, string, []jobs.Spec, string) error {
	return jobs.ErrNotFound
}

// Tree gives a copy of a tree.
func (f *FakeJobs) Tree(_ context.Context, id string) (*jobs.Tree, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Trees[id] == nil {
		return nil, jobs.ErrNotFound
	}
	raw, err := json.Marshal(f.Trees[id])
	if err != nil {
		return nil, err
	}
	var tree jobs.Tree
	return &tree, json.Unmarshal(raw, &tree)
}

// Log gives the lines of a job behind a cursor.
func (f *FakeJobs) Log(_ context.Context, job, after string) ([]following.Line, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []following.Line
	for _, l := range f.Logs[job] {
		if less(after, l.Cursor) {
			out = append(out, l)
		}
	}
	return out, nil
}

// Watch wakes at each change.
func (f *FakeJobs) Watch(ctx context.Context) <-chan following.Event {
	events := make(chan following.Event)
	go func() { // ends with ctx
		defer close(events)
		for {
			f.mu.Lock()
			changed := f.changed
			f.mu.Unlock()
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
			select {
			case <-ctx.Done():
				return
			case events <- following.Event{}:
			}
		}
	}()
	return events
}
