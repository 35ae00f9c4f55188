package nodes

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
)

// sessions remembers each node's open session and what it reported last. It
// lives in memory: after a restart every node reports in full within one interval.
type sessions struct {
	cfg Config

	mu   sync.Mutex // guards open and what they point to
	open map[cluster.ID]*session
}

// session is one run of a node's process.
type session struct {
	hello    cluster.Hello
	since    time.Time
	heard    time.Time
	counter  uint64
	load     cluster.Load
	sources  map[string]cluster.TagSource
	statuses map[cluster.ID]cluster.InstanceStatus
	full     bool // a full set was reported
	parts    []cluster.Part
	unknown  []cluster.ID
	address  string       // where it says that its instances are, if it has not shown that
	unshown  []string     // addresses that it says its machine has, and has not shown
	withheld []cluster.ID // instances at such addresses, which are not recorded
	lease    cluster.Lease
	leased   bool // the lease is in use
}

func newSessions(cfg Config) *sessions {
	return &sessions{cfg: cfg, open: map[cluster.ID]*session{}}
}

// busyFor is for how long after its last report a process counts as there, when
// another one comes with its identity: a few of the intervals at which nodes report.
const busyFor = 10 * time.Second

// check tells whether a hello is the open session's own, sent again. A node has one: a
// second process with its identity is refused while the first is heard, unless it is on
// the same data directory of the same machine, where it can only be the first one's
// successor.
func (h *sessions) check(node cluster.Node, hello cluster.Hello) (again bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.cfg.Now()
	s := h.open[node.ID]
	if s != nil && s.hello.Session == hello.Session {
		s.hello, s.heard = hello, now
		return true, nil
	}
	if s != nil && s.hello.Place != hello.Place && now.Sub(s.heard) < min(busyFor, h.cfg.DeadAfter) {
		return false, cluster.Conflict("node %q is in use by %s: stop that one first, or let this machine join as another node (aorta nodes token)", node.Name, s)
	}
	return false, nil
}

// begin opens a session.
func (h *sessions) begin(node cluster.Node, hello cluster.Hello, lease cluster.Lease) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.cfg.Now()
	h.open[node.ID] = &session{hello: hello, since: now, heard: now, lease: lease, statuses: map[cluster.ID]cluster.InstanceStatus{}}
}

// lease is what an open session was given; "" when it is not open.
func (h *sessions) lease(node cluster.ID, id string) cluster.Lease {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.open[node]; s != nil && s.hello.Session == id {
		return s.lease
	}
	return ""
}

// unused is the lease of an open session that is not noted as in use; "" for none.
func (h *sessions) unused(node cluster.ID, id string) cluster.Lease {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.open[node]; s != nil && s.hello.Session == id && !s.leased {
		return s.lease
	}
	return ""
}

func (h *sessions) used(node cluster.ID, lease cluster.Lease) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.open[node]; s != nil && s.lease == lease {
		s.leased = true
	}
}

// String is whose session it is, for people.
func (s *session) String() string {
	return fmt.Sprintf("%s, process %d, since %s", machine(s.hello), s.hello.Pid, s.since.UTC().Format(time.RFC3339))
}

// machine names where a process is, for people.
func machine(hello cluster.Hello) string {
	if hello.Address != "" {
		return fmt.Sprintf("host %s (%s)", hello.Hostname, hello.Address)
	}
	return "host " + hello.Hostname
}

// of describes a node's open session; false when there is none.
func (h *sessions) of(node cluster.ID) (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.open[node]; s != nil {
		return s.String(), true
	}
	return "", false
}

// end forgets a node's session.
func (h *sessions) end(node cluster.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.open, node)
}

// merge adds a report to the session. It gives all that the node is known to
// have, whether the full set is needed, and whether the report is an old one.
func (h *sessions) merge(node cluster.Node, r cluster.Report) (have []cluster.InstanceStatus, sendFull, old bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.open[node.ID]
	if s == nil {
		return nil, false, false, cluster.Conflict("node %q has no open session: say hello first", node.Name)
	}
	if s.hello.Session != r.Session {
		return nil, false, false, cluster.Forbidden("node %q is in use by %s", node.Name, s)
	}
	s.heard = h.cfg.Now()
	if r.Counter <= s.counter {
		return nil, false, true, nil
	}
	s.counter, s.load, s.parts, s.sources = r.Counter, r.Load, r.Parts, r.TagSources
	if r.Full {
		s.statuses = map[cluster.ID]cluster.InstanceStatus{}
		s.full = true
	}
	s.note(r.Instances)
	have = slices.Collect(maps.Values(s.statuses))
	return have, !s.full || cluster.InstanceDigest(have) != r.Digest, false, nil
}

// maxStatuses is how many instances a session remembers, twice as many as one report may
// name: what is beyond makes the digest another one, and the node reports in full.
const maxStatuses = 4000

// note takes in what a node says of its instances.
func (s *session) note(list []cluster.InstanceStatus) {
	for _, st := range list {
		if _, known := s.statuses[st.ID]; known || len(s.statuses) < maxStatuses {
			s.statuses[st.ID] = st
		}
	}
}

func (h *sessions) noteUnknown(node cluster.ID, ids []cluster.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.open[node]; s != nil {
		s.unknown = ids
	}
}

// noteUnshown keeps what a node says of where it is and has not shown.
func (h *sessions) noteUnshown(node cluster.ID, address string, unshown []string, withheld []cluster.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.open[node]; s != nil {
		s.address, s.unshown, s.withheld = address, unshown, withheld
	}
}

// unsure are the instances that were withheld when they were reported, but for those
// that are in this report.
func (h *sessions) unsure(node cluster.ID, reported, have []cluster.InstanceStatus) []cluster.InstanceStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.open[node]
	if s == nil || len(s.withheld) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(have), func(st cluster.InstanceStatus) bool {
		return !slices.Contains(s.withheld, st.ID) || slices.ContainsFunc(reported, func(now cluster.InstanceStatus) bool { return now.ID == st.ID })
	})
}

func (h *sessions) heard(node cluster.ID) (Heard, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.open[node]
	if s == nil {
		return Heard{}, false
	}
	return Heard{Ago: h.cfg.Now().Sub(s.heard), Load: s.load, Parts: s.parts, TagSources: s.sources, Unknown: slices.Clone(s.unknown), Address: s.address, Unshown: s.unshown}, true
}

// status is what a node reported of an instance last; the zero one when it did not.
func (h *sessions) status(node, instance cluster.ID) cluster.InstanceStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.open[node]; s != nil {
		return s.statuses[instance]
	}
	return cluster.InstanceStatus{}
}
