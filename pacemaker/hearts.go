package pacemaker

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
)

// hearts remembers each node's open session and what it said last. It lives in
// memory: after a restart every node reports in full within one interval.
type hearts struct {
	cfg Config

	mu       sync.Mutex // guards sessions and what they point to
	sessions map[cluster.ID]*session
}

// session is one run of a node's process.
type session struct {
	hello    cluster.Hello
	since    time.Time
	heard    time.Time
	counter  uint64
	load     cluster.Load
	statuses map[cluster.ID]cluster.InstanceStatus
	full     bool // a full set was taken
	unknown  []cluster.ID
}

func newHearts(cfg Config) *hearts {
	return &hearts{cfg: cfg, sessions: map[cluster.ID]*session{}}
}

// open starts a session. A node has one: a second process with its identity is
// refused while the first is heard, unless it runs on the same host, where it
// can only be the first one's successor (its data directory is locked).
func (h *hearts) open(node cluster.Node, hello cluster.Hello) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.cfg.Now()
	s := h.sessions[node.ID]
	if s != nil && s.hello.Session == hello.Session {
		s.hello, s.heard = hello, now
		return nil
	}
	if s != nil && s.hello.Hostname != hello.Hostname && now.Sub(s.heard) < h.cfg.DeadAfter {
		return cluster.Conflict("node %q is in use by host %s, process %d, since %s: stop that one first, or make a token for another node", node.Name, s.hello.Hostname, s.hello.Pid, s.since.UTC().Format(time.RFC3339))
	}
	h.sessions[node.ID] = &session{hello: hello, since: now, heard: now, statuses: map[cluster.ID]cluster.InstanceStatus{}}
	return nil
}

// take merges a report and gives all that the node is known to have. It says
// whether the full set is needed, and whether the report is an old one.
func (h *hearts) take(node cluster.Node, r cluster.Report) (have []cluster.InstanceStatus, sendFull, old bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.sessions[node.ID]
	if s == nil {
		return nil, false, false, cluster.Conflict("node %q has no open session: say hello first", node.Name)
	}
	if s.hello.Session != r.Session {
		return nil, false, false, cluster.Forbidden("node %q belongs to host %s, process %d, since %s", node.Name, s.hello.Hostname, s.hello.Pid, s.since.UTC().Format(time.RFC3339))
	}
	s.heard = h.cfg.Now()
	if r.Counter <= s.counter {
		return nil, false, true, nil
	}
	s.counter, s.load = r.Counter, r.Load
	if r.Full {
		s.statuses = map[cluster.ID]cluster.InstanceStatus{}
		s.full = true
	}
	for _, st := range r.Instances {
		s.statuses[st.ID] = st
	}
	have = slices.Collect(maps.Values(s.statuses))
	return have, !s.full || cluster.InstanceDigest(have) != r.Digest, false, nil
}

func (h *hearts) noteUnknown(node cluster.ID, ids []cluster.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.sessions[node]; s != nil {
		s.unknown = ids
	}
}

// Heard is what is known of a node's process.
type Heard struct {
	Ago     time.Duration
	Load    cluster.Load
	Unknown []cluster.ID // instances on the node that the database does not know
}

func (h *hearts) heard(node cluster.ID) (Heard, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.sessions[node]
	if s == nil {
		return Heard{}, false
	}
	return Heard{Ago: h.cfg.Now().Sub(s.heard), Load: s.load, Unknown: slices.Clone(s.unknown)}, true
}

// Heard gives what is known of a node's process; false before it said hello.
func (p *Pacemaker) Heard(node cluster.ID) (Heard, bool) { return p.hearts.heard(node) }

// Unheard says that a node has been silent for longer than the limit, counted
// at the earliest from this pacemaker's own start.
func (p *Pacemaker) Unheard(node cluster.ID) bool {
	if h, ok := p.hearts.heard(node); ok {
		return h.Ago > p.cfg.DeadAfter
	}
	return p.cfg.Now().Sub(p.started) > p.cfg.DeadAfter
}

// Hello opens a node's session. A node plays the roles that its token was made
// for, no others: what each role may see hangs on them.
func (p *Pacemaker) Hello(ctx context.Context, node cluster.Node, hello cluster.Hello) error {
	if !sameRoles(node.Roles, hello.Roles) {
		return cluster.Forbidden("node %q was made for the roles %s, and its process has %s: start it with --roles %[2]s, or make a token for another node", node.Name, joined(node.Roles), joined(hello.Roles))
	}
	if err := validAddress(hello.Address); err != nil {
		return err
	}
	if err := p.hearts.open(node, hello); err != nil {
		return err
	}
	return p.store.UpdateNode(ctx, node, node.Roles, cmp.Or(hello.Address, node.Address), node.Tags)
}

func sameRoles(a, b []cluster.Role) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func joined(roles []cluster.Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ",")
}

// validAddress keeps one node's mistake out of the routing table, which is
// published whole or not at all. A node that does not know its address yet
// keeps the one it had, and its routes with it.
func validAddress(address string) error {
	if address == "" {
		return nil
	}
	return cluster.ValidateNodeAddress("address", address)
}

// Report takes over a heart's report and says what it lacks and what it should
// stop.
func (p *Pacemaker) Report(ctx context.Context, node cluster.Node, r cluster.Report) (cluster.ReportAnswer, error) {
	if r.Epoch > p.epoch {
		return cluster.ReportAnswer{}, p.outdated(r.Epoch, "node "+node.Name)
	}
	if err := validAddress(r.Address); err != nil {
		return cluster.ReportAnswer{}, err
	}
	have, sendFull, old, err := p.hearts.take(node, r)
	if err != nil || old {
		return cluster.ReportAnswer{Epoch: p.epoch}, err
	}
	if err := p.store.UpdateNode(ctx, node, node.Roles, cmp.Or(r.Address, node.Address), r.Tags); err != nil {
		return cluster.ReportAnswer{}, err
	}
	if err := p.applyReport(ctx, node, r); err != nil {
		return cluster.ReportAnswer{}, err
	}
	answer, err := p.answer(ctx, node, have)
	answer.SendFull = sendFull
	return answer, err
}

// applyReport writes what the report changes; most change nothing, and then
// nothing is written.
func (p *Pacemaker) applyReport(ctx context.Context, node cluster.Node, r cluster.Report) error {
	changed := false
	if len(r.Instances) > 0 {
		unknown, did, err := p.store.ApplyReport(ctx, node.ID, r.Instances)
		if err != nil {
			return err
		}
		if r.Full {
			p.hearts.noteUnknown(node.ID, unknown)
		}
		changed = did
	}
	if r.Full {
		lost, err := p.loseMissing(ctx, node, r, r.Instances)
		if err != nil {
			return err
		}
		changed = changed || lost
	}
	if changed {
		p.publish.wake()
		p.announce()
	}
	return nil
}

// loseMissing ends instances that a full report should name and does not: the
// heart has applied a wanted set with them, and no longer knows them.
func (p *Pacemaker) loseMissing(ctx context.Context, node cluster.Node, r cluster.Report, have []cluster.InstanceStatus) (bool, error) {
	if r.Epoch != p.epoch {
		return false, nil
	}
	known := make(map[cluster.ID]bool, len(have))
	for _, st := range have {
		known[st.ID] = true
	}
	list, err := p.store.InstancesOn(ctx, node.ID)
	if err != nil {
		return false, err
	}
	var lost []cluster.InstanceStatus
	for _, in := range list {
		if known[in.ID] || in.Revision > r.Revision || in.State == cluster.InstanceAssigned {
			continue
		}
		lost = append(lost, cluster.InstanceStatus{ID: in.ID, State: cluster.InstanceFailed, Gone: true, Error: "its node no longer knows it"})
	}
	if len(lost) == 0 {
		return false, nil
	}
	_, changed, err := p.store.ApplyReport(ctx, node.ID, lost)
	return changed, err
}

// answer compares what the node has with what is wanted there.
func (p *Pacemaker) answer(ctx context.Context, node cluster.Node, have []cluster.InstanceStatus) (cluster.ReportAnswer, error) {
	node, err := p.store.Node(ctx, node.ID)
	if err != nil {
		return cluster.ReportAnswer{}, err
	}
	list, err := p.store.InstancesOn(ctx, node.ID)
	if err != nil {
		return cluster.ReportAnswer{}, err
	}
	nodes, err := p.store.Nodes(ctx)
	if err != nil {
		return cluster.ReportAnswer{}, err
	}
	a := cluster.ReportAnswer{Epoch: p.epoch, Revision: node.Revision}
	statuses := make(map[cluster.ID]cluster.InstanceStatus, len(have))
	for _, st := range have {
		statuses[st.ID] = st
	}
	live := make(map[cluster.ID]bool, len(list))
	for _, in := range list {
		live[in.ID] = true
		_, there := statuses[in.ID]
		switch {
		case in.State.Wanted() && !there:
			a.Start = append(a.Start, in.ID)
		case there && !in.State.Wanted() && p.mayStop(in, nodes):
			a.Stop = append(a.Stop, in.ID)
		}
	}
	for id, st := range statuses {
		switch {
		case live[id]:
		case st.Gone:
			a.Forget = append(a.Forget, id)
		default:
			// One that was given up for gone and is there after all; what the
			// database never knew is left alone.
			if in, err := p.store.Instance(ctx, id); err == nil && in.NodeID == node.ID {
				a.Stop = append(a.Stop, id)
			}
		}
	}
	return a, nil
}

// mayStop says that a report's answer may name the instance for stopping: no
// router sends it anything, and its drain had all its time. A retire tree does
// it sooner; this is for one that was lost.
func (p *Pacemaker) mayStop(in cluster.Instance, nodes []cluster.Node) bool {
	if p.publish.Routed(in.ID, nodes) {
		return false
	}
	return in.DrainingAt == nil || p.cfg.Now().Sub(*in.DrainingAt) > 2*p.cfg.DrainLimit
}
