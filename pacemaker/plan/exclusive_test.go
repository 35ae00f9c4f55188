package plan

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aorta/pacemaker/cluster"
)

// machine is a node as it is in truth, and as it is known.
type machine struct {
	id         cluster.ID
	off        bool // without power: nothing runs there
	lost, dead bool // it counts as lost, and a person has said that it is dead
	silence    time.Duration
}

// monopoly is an app with an exclusive process type, in a cluster to which things happen.
type monopoly struct {
	t        *rapid.T
	nodes    []*machine
	list     []cluster.Instance
	alive    map[cluster.ID]bool // in truth
	release  cluster.ID
	next     cluster.ID   // that the open operation brings; empty: the same
	op       cluster.ID   // that is open
	replace  []cluster.ID // by it
	unwanted map[cluster.ID]MoveCause
}

func (m *monopoly) target(release cluster.ID) Target {
	t := Target{
		Release: release, Want: map[string]int{"db": 1}, Exclusive: map[string]bool{"db": true}, Replace: m.replace, Leaving: m.unwanted,
		Lost: map[cluster.ID]bool{}, Dead: map[cluster.ID]bool{}, Silence: map[cluster.ID]time.Duration{},
	}
	for _, n := range m.nodes {
		t.Lost[n.id], t.Dead[n.id], t.Silence[n.id] = n.lost, n.dead, n.silence
	}
	return t
}

// begin opens an operation that starts one: a deploy, a restart or a move, or in place of
// what is missing.
func (m *monopoly) begin(next cluster.ID, replace []cluster.ID) {
	if m.op == "" {
		m.op, m.next, m.replace = cluster.NewID(), next, replace
	}
}

func (m *monopoly) serves() cluster.ID {
	if m.next != "" {
		return m.next
	}
	return m.release
}

// goOn is a step of the open operation: what is in the way drains, and once nothing is,
// one is assigned.
func (m *monopoly) goOn() {
	t := m.target(m.serves())
	if _, starts := t.SplitExclusive(Starts(m.op, t, m.list)); len(starts) == 0 {
		m.end()
		return
	}
	way := t.InTheWay(m.op, []string{"db"}, m.list)
	for _, in := range way {
		if t.Lost[in.NodeID] { // and no promise has ended it
			m.end() // it is refused
			return
		}
		m.become(in.ID, cluster.InstanceDraining)
	}
	up := slices.DeleteFunc(slices.Clone(m.nodes), func(n *machine) bool { return n.off || n.lost })
	if len(way) > 0 || len(up) == 0 {
		return
	}
	for i, in := range m.list { // only on what is dead: with the assignment
		if in.GoneAt == nil && in.State.Wanted() {
			m.list[i].State = cluster.InstanceDraining
		}
	}
	id := cluster.NewID()
	m.list = append(m.list, cluster.Instance{
		ID: id, Type: "db", ReleaseID: m.serves(), NodeID: rapid.SampledFrom(up).Draw(m.t, "node").id, State: cluster.InstanceRunning, Operation: m.op,
		StopsAfter: rapid.SampledFrom([]time.Duration{0, 8 * time.Second, 15 * time.Second}).Draw(m.t, "promise"),
	})
	m.alive[id] = true
	if m.next != "" && rapid.IntRange(0, 3).Draw(m.t, "fails") == 0 {
		m.become(id, cluster.InstanceDraining)
	} else if m.next != "" {
		m.release = m.next
	}
	m.end()
}

func (m *monopoly) end() { m.op, m.next, m.replace = "", "", nil }

func (m *monopoly) become(id cluster.ID, state cluster.InstanceState) {
	for i, in := range m.list {
		if in.ID == id && in.State.CanBecome(state) {
			m.list[i].State = state
		}
	}
}

// hearts stop what is not wanted where they are heard, and say what is gone.
func (m *monopoly) hearts() {
	m.list = slices.DeleteFunc(m.list, func(in cluster.Instance) bool {
		n := m.nodes[slices.IndexFunc(m.nodes, func(n *machine) bool { return n.id == in.NodeID })]
		if n.off || n.lost {
			return false
		}
		m.alive[in.ID] = in.State.Wanted()
		return !in.State.Wanted()
	})
}

// reconcile is a round of the pacemaker.
func (m *monopoly) reconcile() {
	t := m.target(m.release)
	if m.op != "" {
		return
	}
	for _, id := range Surplus(t, m.list) {
		m.become(id, cluster.InstanceDraining)
	}
	if Missing(t, m.list)["db"] > 0 {
		m.begin("", nil)
	} else if moves := NextMoves(t, m.list); len(moves) > 0 {
		m.begin("", []cluster.ID{moves[0].Instance.ID})
	}
}

func (m *monopoly) check(*rapid.T) {
	n := 0
	for _, is := range m.alive {
		if is {
			n++
		}
	}
	if n > 1 {
		m.t.Fatalf("%d run at once: %+v", n, m.list)
	}
}

// loses has a node count as lost by a silence, in which hearts keep their promises.
func (m *monopoly) loses(n *machine) {
	if n.lost {
		return
	}
	n.lost, n.silence = true, rapid.SampledFrom([]time.Duration{8 * time.Second, 15 * time.Second}).Draw(m.t, "silence")
	for _, in := range m.list {
		if in.NodeID == n.id && in.EndedBySilence(n.silence) {
			m.alive[in.ID] = false
		}
	}
}

func (m *monopoly) power(n *machine, off bool) {
	if n.off = off; off {
		for _, in := range m.list {
			m.alive[in.ID] = m.alive[in.ID] && in.NodeID != n.id
		}
	}
}

// Whatever happens, and in whatever order, no two of it run at once; and one runs once
// nothing happens any more. People declare dead only what has no power.
func TestExclusive_NeverTwoAtOnceAndOneInTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &monopoly{t: t, nodes: []*machine{{id: "n1"}, {id: "n2"}, {id: "n3"}}, alive: map[cluster.ID]bool{}, release: "v0"}
		any := func() *machine { return rapid.SampledFrom(m.nodes).Draw(t, "machine") }
		t.Repeat(map[string]func(*rapid.T){
			"deploy":    func(*rapid.T) { m.begin(cluster.NewID(), nil) },
			"reconcile": func(*rapid.T) { m.reconcile() },
			"go on":     func(*rapid.T) { m.goOnIfOpen() },
			"hearts":    func(*rapid.T) { m.hearts() },
			"cut off":   func(*rapid.T) { m.loses(any()) },
			"power off": func(*rapid.T) { n := any(); m.power(n, true); m.loses(n) },
			"declare": func(*rapid.T) {
				if n := any(); n.lost && n.off {
					n.dead = true
				}
			},
			"back": func(*rapid.T) { n := any(); n.off, n.lost, n.dead, n.silence = false, false, false, 0; m.hearts() },
			"restart": func(*rapid.T) {
				for _, in := range m.list {
					m.begin("", []cluster.ID{in.ID})
				}
			},
			"to leave": func(*rapid.T) {
				m.unwanted = map[cluster.ID]MoveCause{}
				for _, in := range m.list {
					m.unwanted[in.ID] = MoveDrained
				}
			},
			"": m.check,
		})

		m.unwanted = nil
		for _, n := range m.nodes {
			n.off, n.lost, n.dead, n.silence = false, false, false, 0
		}
		for range 10 {
			m.hearts()
			m.reconcile()
			m.goOnIfOpen()
			m.check(t)
		}
		if len(m.list) != 1 || !m.alive[m.list[0].ID] {
			t.Fatalf("got %+v in the end, want one that runs", m.list)
		}
	})
}

func (m *monopoly) goOnIfOpen() {
	if m.op != "" {
		m.goOn()
	}
}
