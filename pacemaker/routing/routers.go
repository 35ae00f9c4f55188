package routing

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
	"aorta/router"
)

// patience is how long a router that reports may answer by an older table before
// no change waits for it: longer than it takes to replace a worker of it. An
// instance that its table names waits, however long.
const patience = 2 * time.Minute

// Routers knows what each router has acknowledged and what is still in flight
// there.
type Routers struct {
	cfg Config

	mu   sync.Mutex // guards seen
	seen map[cluster.ID]routerState
}

type routerState struct {
	report cluster.RouterReport
	heard  time.Time
}

// NewRouters makes it; routers report within seconds.
func NewRouters(cfg Config) *Routers {
	return &Routers{cfg: cfg, seen: map[cluster.ID]routerState{}}
}

// Reported applies a router's report.
func (r *Routers) Reported(node cluster.Node, report cluster.RouterReport) error {
	if !node.Has(cluster.RoleRouter) {
		return cluster.Forbidden("node %q is no router", node.Name)
	}
	if err := cluster.CheckEpoch("router "+node.Name, report.Epoch, r.cfg.Epoch); err != nil {
		r.cfg.Log.Error("a router has seen a higher epoch", "err", err)
		return err
	}
	r.mu.Lock()
	r.seen[node.ID] = routerState{report: report, heard: r.cfg.Now()}
	r.mu.Unlock()
	r.cfg.Changed.Notify()
	return nil
}

func (r *Routers) state(node cluster.ID) (routerState, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	st, ok := r.seen[node]
	return st, ok
}

// Silent says that the router need not be waited for: it was not heard for
// the limit, counted at the earliest from this pacemaker's own start.
func (r *Routers) Silent(node cluster.ID) bool {
	since := r.cfg.Started
	if st, ok := r.state(node); ok && st.heard.After(since) {
		since = st.heard
	}
	return r.cfg.Now().Sub(since) >= r.cfg.Silence
}

// Generation is the generation that a node's router answers by; 0 when it has
// not said so.
func (r *Routers) Generation(node cluster.ID) uint64 {
	st, _ := r.state(node)
	return st.report.Generation
}

// HeardAt is when the node's router reported last; false when it has not.
func (r *Routers) HeardAt(node cluster.ID) (time.Time, bool) {
	st, ok := r.state(node)
	return st.heard, ok
}

func (r *Routers) acked(node cluster.ID, pair router.Pair) bool {
	st, ok := r.state(node)
	return ok && !(router.Pair{Epoch: st.report.Epoch, Generation: st.report.Generation}).Less(pair)
}

// Inflight counts the requests that live routers still have on an instance.
func (r *Routers) Inflight(instance cluster.ID, nodes []cluster.Node) int64 {
	var n int64
	for _, node := range nodes {
		if st, ok := r.state(node.ID); ok && !r.Silent(node.ID) {
			n += st.report.Inflight[instance]
		}
	}
	return n
}

// allAcked says whether every router has acknowledged the pair or is silent,
// and names those that are.
func (r *Routers) allAcked(nodes []cluster.Node, pair router.Pair) (done bool, silent []string) {
	done = true
	for _, n := range nodes {
		switch {
		case !n.Has(cluster.RoleRouter) || r.acked(n.ID, pair):
		case r.Silent(n.ID):
			silent = append(silent, n.Name)
		default:
			done = false
		}
	}
	return done, silent
}

// Report is what a node's router said last; false when it has not.
func (r *Routers) Report(node cluster.ID) (cluster.RouterReport, bool) {
	st, ok := r.state(node)
	return st.report, ok
}

// behind says what a node's router answers by that reports and has not
// acknowledged the pair; empty for any other node.
func (r *Routers) behind(n cluster.Node, pair router.Pair) string {
	if !n.Has(cluster.RoleRouter) || r.acked(n.ID, pair) || r.Silent(n.ID) {
		return ""
	}
	report, _ := r.Report(n.ID)
	return fmt.Sprintf("worker %d answers by generation %d.%d, not by %s", report.Slowest, report.Epoch, report.Generation, pair)
}

func (r *Routers) allBehind(nodes []cluster.Node, pair router.Pair) []string {
	var list []string
	for _, n := range nodes {
		if what := r.behind(n, pair); what != "" {
			list = append(list, n.Name+" ("+what+")")
		}
	}
	return list
}

// AwaitAcks waits until every live router answers by the pair, for at most the
// patience. It reports those that it does not wait for: they answer by what they
// have, and no instance that their tables name is stopped.
func (r *Routers) AwaitAcks(ctx context.Context, pair router.Pair, report func(string)) error {
	began := r.cfg.Now()
	var silent, behind []string
	err := r.cfg.Changed.Until(ctx, func() (bool, error) {
		nodes, err := r.cfg.Store.Nodes(ctx)
		if err != nil {
			return false, err
		}
		var done bool
		done, silent = r.allAcked(nodes, pair)
		if !done && r.cfg.Now().Sub(began) >= patience {
			behind = r.allBehind(nodes, pair)
			done = true
		}
		return done, nil
	})
	if err != nil {
		return fmt.Errorf("wait for the routers to take generation %s: %w", pair, err)
	}
	if len(silent) > 0 {
		report(fmt.Sprintf("no longer waiting for routers that were silent for %s: %s", duration.Text(r.cfg.Silence), strings.Join(silent, ", ")))
	}
	if len(behind) > 0 {
		report(fmt.Sprintf("no longer waiting for routers that keep an older table for %s: %s (see nginx.log there); instances that they still name are not stopped",
			duration.Text(patience), strings.Join(behind, ", ")))
	}
	return nil
}
