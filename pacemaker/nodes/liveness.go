package nodes

import (
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/liveness"
)

// Heard is what is known of a node's process.
type Heard struct {
	Ago        time.Duration // since it was heard last
	Load       cluster.Load
	TagSources map[string]cluster.TagSource // of the tags that it reported
	Parts      []cluster.Part               // as it reported them last
	Unknown    []cluster.ID                 // instances on the node that the database does not know
	Address    string                       // where it says that its instances are, if it has not shown that
	Unshown    []string                     // addresses that it says its machine has, and has not shown
	From       string                       // where its connections come from; empty: from the pacemaker's machine, or not known
}

// Heard gives what is known of a node's process; false before it said hello. A
// heart is heard by its reports alone, for what runs beside it says nothing of
// its instances. A node without a heart is heard by its router too: one of the
// version before reports in no other way.
func (n *Nodes) Heard(node cluster.Node) (Heard, bool) {
	h, said := n.sessions.heard(node.ID)
	if from := n.origins.at(node.ID); from.IsValid() && !from.IsLoopback() {
		h.From = from.String()
	}
	if node.Has(cluster.RoleHeart) {
		return h, said
	}
	if at, reported := n.cfg.Routers.HeardAt(node.ID); reported {
		if ago := n.cfg.Now().Sub(at); !said || ago < h.Ago {
			h.Ago = ago
		}
		said = true
	}
	return h, said
}

// Unheard says that a node is dead, or has been silent for longer than the limit,
// counted at the earliest from this pacemaker's own start.
func (n *Nodes) Unheard(node cluster.Node) bool {
	if node.State == cluster.NodeDead {
		return true
	}
	if h, said := n.Heard(node); said {
		return h.Ago > n.cfg.DeadAfter
	}
	return n.cfg.Now().Sub(n.cfg.Started) > n.cfg.DeadAfter
}

// HeldUntil is until when a node that was dead and came back gets nothing new while
// others have room; zero when it is not held.
func (n *Nodes) HeldUntil(node cluster.Node) time.Time {
	until := liveness.HeldUntil(node, n.cfg.DeadAfter)
	if node.State == cluster.NodeDead || !n.cfg.Now().Before(until) {
		return time.Time{}
	}
	return until
}

// Usage is what an instance's processes use, as its heart reported it last: bytes
// of memory, 0 when not known, and cores, nil when not known.
func (n *Nodes) Usage(in cluster.Instance) (memory int64, cpu *float64) {
	st := n.sessions.status(in.NodeID, in.ID)
	return st.Memory, st.CPU
}
