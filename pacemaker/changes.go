package pacemaker

import (
	"context"
	"errors"
	"sync"

	"aorta/jobs"
)

// Away names the pacemaker's own Redis servers that do not answer now.
func (p *Pacemaker) Away(ctx context.Context) []string {
	asks := []struct {
		name string
		ask  func() error
	}{
		{"routes Redis", func() error { _, err := p.publish.gate.RunID(ctx); return err }},
		{"jobs Redis", func() error {
			_, err := p.jobs.Tree(ctx, string(p.cluster)) // there is no such tree
			if errors.Is(err, jobs.ErrNotFound) {
				return nil
			}
			return err
		}},
	}
	failed := make([]bool, len(asks))
	var group sync.WaitGroup
	for i, a := range asks {
		group.Go(func() { failed[i] = a.ask() != nil }) // ends with ctx at the latest
	}
	group.Wait()
	var away []string
	for i, a := range asks {
		if failed[i] {
			away = append(away, a.name)
		}
	}
	return away
}

// Changes wakes whoever shows operations, apps and nodes, until ctx ends: at
// most one wake-up waits. What changed is read anew.
func (p *Pacemaker) Changes(ctx context.Context) <-chan struct{} {
	out := make(chan struct{}, 1)
	events := p.jobs.Watch(ctx)
	go func() { // ends with ctx
		for {
			rung := p.todo.wait()
			select {
			case <-ctx.Done():
				return
			case <-rung:
			case _, ok := <-events:
				if !ok {
					events = nil // the tick of who waits does instead
					continue
				}
			}
			select {
			case out <- struct{}{}:
			default:
			}
		}
	}()
	return out
}
