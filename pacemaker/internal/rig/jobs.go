package rig

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/following"
)

// Jobs keeps the trees that it is given and runs nothing.
type Jobs struct {
	mu    sync.Mutex // guards all below; tests set Err and read Asked alone
	trees map[string]*jobs.Tree
	added []string // roots, in order
	Err   error    // of Tree
	Asked int      // for a tree
}

func newJobs() *Jobs { return &Jobs{trees: map[string]*jobs.Tree{}} }

// Add is part of what a keeper of job trees does.
func (f *Jobs) Add(_ context.Context, root jobs.Spec, operation string) error {
	tree, err := jobs.New(root, operation, time.Now())
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trees[root.ID], f.added = tree, append(f.added, root.ID)
	return nil
}

// Drop loses a tree.
func (f *Jobs) Drop(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.trees, id)
}

// Take gives the roots that were added since the last Take.
func (f *Jobs) Take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.added
	f.added = nil
	return list
}

// Abort is part of what a keeper of job trees does: a tree that is there is gone.
func (f *Jobs) Abort(_ context.Context, id, _ string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.trees[id] == nil {
		return jobs.ErrNotFound
	}
	delete(f.trees, id)
	return nil
}

// Supersede is part of what a keeper of job trees does.
func (f *Jobs) Supersede(_ context.Context, id string, by []jobs.Spec, reason string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.trees {
		if t.Jobs[id] != nil {
			return t.Supersede(id, by, reason, time.Now())
		}
	}
	return jobs.ErrNotFound
}

// Change applies rules to a tree, as a keeper does by what workers say.
func (f *Jobs) Change(id string, rules func(*jobs.Tree)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	rules(f.trees[id])
}

// Tree is part of what a keeper of job trees does.
func (f *Jobs) Tree(_ context.Context, id string) (*jobs.Tree, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Asked++
	if f.Err != nil {
		return nil, f.Err
	}
	if f.trees[id] == nil {
		return nil, jobs.ErrNotFound
	}
	raw, err := json.Marshal(f.trees[id])
	if err != nil {
		return nil, err
	}
	var tree jobs.Tree
	return &tree, json.Unmarshal(raw, &tree)
}

// Log is part of what a keeper of job trees does.
func (f *Jobs) Log(context.Context, string, string) ([]following.Line, error) { return nil, nil }

// Watch is part of what a keeper of job trees does.
func (f *Jobs) Watch(ctx context.Context) <-chan following.Event {
	events := make(chan following.Event)
	go func() { // ends with ctx
		<-ctx.Done()
		close(events)
	}()
	return events
}
