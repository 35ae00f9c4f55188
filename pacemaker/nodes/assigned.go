package nodes

import (
	"context"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// rereadEvery is how often SQL is read although nothing was written here: somebody may
// have mended something there by hand.
const rereadEvery = 10 * time.Second

// assigned gives what is not gone on each node, as it is since anything was written last:
// each report of each node is answered by it, and hardly any has changed it.
type assigned struct {
	store *store.Store
	now   func() time.Time

	mu sync.Mutex // guards what follows
	on map[cluster.ID]assignedOn
}

// assignedOn is what was read of one node, and by when. Who gets it changes nothing of it.
type assignedOn struct {
	commits uint64
	at      time.Time
	list    []cluster.Instance
}

func (a *assigned) to(ctx context.Context, node cluster.ID) ([]cluster.Instance, error) {
	commits, now := a.store.Commits(), a.now() // before reading, so that no change is missed
	a.mu.Lock()
	last, known := a.on[node]
	a.mu.Unlock()
	if known && last.commits == commits && now.Sub(last.at) < rereadEvery {
		return last.list, nil
	}
	list, err := a.store.InstancesOn(ctx, node)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.on[node] = assignedOn{commits, now, list}
	return list, nil
}

func (a *assigned) forget(node cluster.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.on, node)
}
