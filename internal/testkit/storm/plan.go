// Package storm plans what happens to the hosts of a lab, by a seed: who has the seed has
// the same storm again. It does nothing of it.
package storm

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind is what happens.
type Kind string

// What takes a host from the others, or most of what it does: never to two at a time.
const (
	HostKilled    Kind = "kill the host"
	HostCut       Kind = "cut the host"
	PairCut       Kind = "cut the pair"
	DaemonStopped Kind = "stop aortad"
	EngineKilled  Kind = "kill the engine"
	EngineStopped Kind = "stop the engine"
)

// What takes one part of a host.
const (
	DaemonKilled  Kind = "kill aortad"
	RedisKilled   Kind = "kill Redis"
	RedisStopped  Kind = "stop Redis"
	WorkerKilled  Kind = "kill nginx's worker"
	MasterKilled  Kind = "kill nginx's master"
	MasterStopped Kind = "stop nginx's master"
)

// What people ask for meanwhile.
const (
	Deploy  Kind = "deploy"
	Scale   Kind = "scale"
	Config  Kind = "set config"
	Restart Kind = "restart"
	Drain   Kind = "drain"
)

var (
	large = []Kind{HostKilled, HostKilled, HostCut, HostCut, PairCut, PairCut, DaemonStopped, EngineKilled, EngineStopped}
	small = []Kind{DaemonKilled, RedisKilled, RedisKilled, RedisStopped, RedisStopped, WorkerKilled, MasterKilled, MasterStopped}
	asked = []Kind{Deploy, Deploy, Scale, Config, Restart, Drain}
	// lasting are those of the rest that have an end, beside the large ones.
	lasting = []Kind{DaemonKilled, RedisStopped, MasterStopped, Drain}
	// masters are the Redis of the pacemaker's host; every host has a replica.
	masters = []string{"routes", "jobs", "stats"}
)

// Replica is the Redis that every router has.
const Replica = "routes-replica"

// Fault is one thing that happens.
type Fault struct {
	Kind  Kind
	Host  int           // counted from 0, where the pacemaker is; none for what people ask
	Other int           // of a pair
	Loud  bool          // of a cut: who sends hears of it
	Redis string        // which one
	Count int           // of instances, of a scale
	Begin time.Duration // since the round's begin
	End   time.Duration // likewise; 0: it has none
}

// String says it for people, with names of hosts as the lab has them.
func (f Fault) String() string {
	text := string(f.Kind)
	switch {
	case f.Kind == PairCut:
		text += fmt.Sprintf(" n%d n%d", f.Host+1, f.Other+1)
	case f.Kind == Scale:
		text += fmt.Sprintf(" web=%d", f.Count)
	case !slices.Contains(asked, f.Kind) || f.Kind == Drain:
		text += fmt.Sprintf(" n%d", f.Host+1)
	}
	if f.Redis != "" {
		text += " " + f.Redis
	}
	if f.Loud {
		text += " loud"
	}
	if f.End > 0 {
		text += fmt.Sprintf(" for %.0f s", (f.End - f.Begin).Seconds())
	}
	return fmt.Sprintf("%4.1f s: %s", f.Begin.Seconds(), text)
}

// Large says whether the fault takes a host from the others, or most of what it does.
func (f Fault) Large() bool { return slices.Contains(large, f.Kind) }

// takes says whether the fault, a large one, has to do with a host.
func (f Fault) takes(host int) bool { return f.Host == host || f.Kind == PairCut && f.Other == host }

// Slot is how long after a fault the next one begins.
const Slot = 20 * time.Second

// Round are the faults of one round, in the order of their begin: as many as there are
// slots, and what people ask for beside them. All have ended when its slots are over.
// It depends on nothing but what is given.
func Round(seed uint64, round, slots, hosts int) []Fault {
	p := planner{Rand: rand.New(rand.NewPCG(seed, uint64(round))), slots: slots, hosts: hosts}
	for slot := range slots {
		p.fault(slot)
		if p.IntN(3) > 0 {
			p.ask(slot)
		}
	}
	slices.SortStableFunc(p.all, func(a, b Fault) int { return cmp.Compare(a.Begin, b.Begin) })
	return p.all
}

// planner makes one round.
type planner struct {
	*rand.Rand
	slots, hosts int

	on      Fault // the large one that lasts, if it is not over
	drained bool  // somebody drains a host in this round
	all     []Fault
}

// fault adds what happens to a host in a slot.
func (p *planner) fault(slot int) {
	begin := time.Duration(slot)*Slot + p.upTo(2*time.Second)
	f := Fault{Begin: begin, Host: p.IntN(p.hosts)}
	if p.on.End < begin && p.IntN(2) == 0 {
		f.Kind, f.Loud = large[p.IntN(len(large))], p.IntN(2) == 0
		f.Other = (f.Host + 1 + p.IntN(p.hosts-1)) % p.hosts
		f.Loud = f.Loud && (f.Kind == HostCut || f.Kind == PairCut)
		over := min(slot+1+p.IntN(2), p.slots)
		f.End = time.Duration(over)*Slot - time.Second - p.upTo(10*time.Second)
		p.on = f
	} else {
		p.part(&f)
	}
	p.all = append(p.all, f)
}

// part makes a fault one of a host's parts. A host that is lost has none, and while the
// pacemaker's is, no daemon of another one gets ready, nor is there a Redis of its.
func (p *planner) part(f *Fault) {
	f.Kind = small[p.IntN(len(small))]
	lost := p.on.End >= f.Begin && p.on.End > 0
	for lost && p.on.takes(f.Host) {
		f.Host = (f.Host + 1) % p.hosts
	}
	if lost && p.on.takes(0) && f.Kind == DaemonKilled {
		f.Kind = WorkerKilled
	}
	if f.Kind == RedisKilled || f.Kind == RedisStopped {
		f.Redis = Replica
		if at := p.IntN(len(masters) + 1); at < len(masters) && !(lost && p.on.takes(0)) {
			f.Host, f.Redis = 0, masters[at]
		}
	}
	if slices.Contains(lasting, f.Kind) {
		f.End = f.Begin + time.Second + p.upTo(7*time.Second)
	}
}

// ask adds what people ask for in a slot. Two hosts are not drained in one round.
func (p *planner) ask(slot int) {
	f := Fault{Kind: asked[p.IntN(len(asked))], Begin: time.Duration(slot)*Slot + p.upTo(12*time.Second)}
	if f.Kind == Drain && p.drained {
		f.Kind = Restart
	}
	switch f.Kind {
	case Scale:
		f.Count = 3 + p.IntN(3)
	case Drain:
		f.Host, p.drained = p.IntN(p.hosts), true
		f.End = f.Begin + 5*time.Second + p.upTo(time.Duration(p.slots)*Slot-f.Begin-6*time.Second)
	}
	p.all = append(p.all, f)
}

// upTo is some time from 0 to most, in tenths of a second.
func (p *planner) upTo(most time.Duration) time.Duration {
	const tenth = 100 * time.Millisecond
	return time.Duration(p.IntN(int(most/tenth)+1)) * tenth
}

// Event is the begin or the end of a fault.
type Event struct {
	At  time.Duration // since the round's begin
	End bool
	Fault
}

// Events are those of a round in the order in which they happen.
func Events(faults []Fault) []Event {
	var all []Event
	for _, f := range faults {
		all = append(all, Event{At: f.Begin, Fault: f})
		if f.End > 0 {
			all = append(all, Event{At: f.End, End: true, Fault: f})
		}
	}
	slices.SortStableFunc(all, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	return all
}
