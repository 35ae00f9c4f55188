package pacemaker

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/router"
)

// routers knows what each router has acknowledged and what is still in flight
// there.
type routers struct {
	cfg     Config
	started time.Time
	bell    *bell

	mu   sync.Mutex // guards seen
	seen map[cluster.ID]routerState
}

type routerState struct {
	report cluster.RouterReport
	heard  time.Time
}

func newRouters(cfg Config, started time.Time, b *bell) *routers {
	return &routers{cfg: cfg, started: started, bell: b, seen: map[cluster.ID]routerState{}}
}

func (r *routers) heard(node cluster.ID, report cluster.RouterReport) {
	r.mu.Lock()
	r.seen[node] = routerState{report: report, heard: r.cfg.Now()}
	r.mu.Unlock()
	r.bell.ring()
}

func (r *routers) state(node cluster.ID) (routerState, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	st, ok := r.seen[node]
	return st, ok
}

// silent says that nobody needs to wait for the router: it was not heard for
// the limit, counted at the earliest from this pacemaker's own start.
func (r *routers) silent(node cluster.ID) bool {
	since := r.started
	if st, ok := r.state(node); ok && st.heard.After(since) {
		since = st.heard
	}
	return r.cfg.Now().Sub(since) >= r.cfg.RouterSilence
}

func (r *routers) acked(node cluster.ID, pair router.Pair) bool {
	st, ok := r.state(node)
	return ok && !(router.Pair{Epoch: st.report.Epoch, Generation: st.report.Generation}).Less(pair)
}

// inflight counts the requests that live routers still have on an instance.
func (r *routers) inflight(instance cluster.ID, nodes []cluster.Node) int64 {
	var n int64
	for _, node := range nodes {
		if st, ok := r.state(node.ID); ok && !r.silent(node.ID) {
			n += st.report.Inflight[instance]
		}
	}
	return n
}

// allAcked says whether every router has acknowledged the pair or is silent,
// and names those that were given up on.
func (r *routers) allAcked(nodes []cluster.Node, pair router.Pair) (done bool, gaveUp []string) {
	done = true
	for _, n := range nodes {
		switch {
		case !n.Has(cluster.RoleRouter) || r.acked(n.ID, pair):
		case r.silent(n.ID):
			gaveUp = append(gaveUp, n.Name)
		default:
			done = false
		}
	}
	return done, gaveUp
}

// waitAcks waits until every live router answers by the pair.
func (p *Pacemaker) waitAcks(ctx context.Context, pair router.Pair, say func(string)) error {
	var gaveUp []string
	err := p.bell.until(ctx, func() (bool, error) {
		nodes, err := p.store.Nodes(ctx)
		if err != nil {
			return false, err
		}
		var done bool
		done, gaveUp = p.routers.allAcked(nodes, pair)
		return done, nil
	})
	if err != nil {
		return fmt.Errorf("wait for the routers to take generation %s: %w", pair, err)
	}
	if len(gaveUp) > 0 {
		say(fmt.Sprintf("no longer waiting for routers that were silent for %s: %s", p.cfg.RouterSilence, strings.Join(gaveUp, ", ")))
	}
	return nil
}

// RouterReported takes over what a router says.
func (p *Pacemaker) RouterReported(node cluster.Node, report cluster.RouterReport) error {
	if !node.Has(cluster.RoleRouter) {
		return cluster.Forbidden("node %q is no router", node.Name)
	}
	if report.Epoch > p.epoch {
		return p.outdated(report.Epoch, "router "+node.Name)
	}
	p.routers.heard(node.ID, report)
	return nil
}
