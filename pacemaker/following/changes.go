package following

import "context"

// Changes wakes those who show operations, apps and nodes, until ctx ends: at
// most one wake-up waits. What changed is read anew.
func (o *Following) Changes(ctx context.Context) <-chan struct{} {
	out := make(chan struct{}, 1)
	events := o.cfg.Jobs.Watch(ctx)
	go func() { // ends with ctx
		for {
			changed := o.cfg.Written.C()
			select {
			case <-ctx.Done():
				return
			case <-changed:
			case _, ok := <-events:
				if !ok {
					events = nil // the tick of whoever waits does instead
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
