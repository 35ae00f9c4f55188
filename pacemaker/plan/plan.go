// Package plan computes the instances to start and to drain from what is wanted
// and what exists. It is pure, so that it gives the same result again after a
// crash. Package place chooses the nodes.
package plan

import (
	"cmp"
	"slices"
	"time"

	"aorta/pacemaker/cluster"
)

// Target is what an operation brings an app to.
type Target struct {
	Release cluster.ID     // the release that is to run
	Want    map[string]int // instances by process type
	// Replace are instances that must give way to new ones of the same type,
	// although nothing else speaks against them.
	Replace []cluster.ID
	// Lost are the nodes that count as gone: what is there is in nobody's way, and is
	// given up once enough runs elsewhere. Held are those that were lost lately.
	Lost, Held map[cluster.ID]bool
	// Exclusive are the process types of which one instance runs at a time. Dead are
	// those of the lost nodes of which somebody has said so, and Silence what the lost ones
	// count as dead by: see lost.
	Exclusive map[string]bool
	Dead      map[cluster.ID]bool
	Silence   map[cluster.ID]time.Duration
	// Leaving are instances that are to run elsewhere, and why: they go first once
	// others run, also before one on a node that was lost lately.
	Leaving map[cluster.ID]MoveCause
}

// Start is one instance to start. Its id follows from the operation, so that
// a second run of the same plan finds the first one's work.
type Start struct {
	ID   cluster.ID
	Type string
}

// Want gives the number of instances of each process type of a release: what
// a person asked, else the release's own wish.
func Want(release cluster.Release, asked map[string]cluster.Formation) map[string]int {
	want := make(map[string]int, len(release.Processes))
	for _, p := range release.Processes {
		want[p.Name] = p.DefaultQuantity()
		if f, ok := asked[p.Name]; ok && f.Quantity != nil {
			want[p.Name] = *f.Quantity
		}
		if p.Exclusive {
			want[p.Name] = min(1, want[p.Name])
		}
	}
	return want
}

// Limits gives what one instance of a process type may use: what a person
// asked, else the release's wish, else the defaults.
func Limits(p cluster.ProcessType, asked map[string]cluster.Formation) cluster.Limits {
	l := p.Limits
	if f, ok := asked[p.Name]; ok {
		if f.Limits.Memory != 0 {
			l.Memory = f.Limits.Memory
		}
		if f.Limits.CPUs != 0 {
			l.CPUs = f.Limits.CPUs
		}
	}
	return l
}

// Tags gives those that a process type asks of its nodes: what a person asked, else
// the release's wish, part by part.
func Tags(p cluster.ProcessType, asked map[string]cluster.Formation) cluster.Tags {
	return asked[p.Name].Tags.Over(p.Tags)
}

// Starts lists what the operation must start, given the app's instances:
// those of its own that it has started already are listed again.
func Starts(op cluster.ID, t Target, instances []cluster.Instance) []Start {
	have := map[string]int{}
	for _, in := range instances {
		if in.Operation != op && keeps(t, in) && !t.lost(in) {
			have[in.Type]++
		}
	}
	var out []Start
	for _, typ := range types(t.Want) {
		for n := range t.Want[typ] - have[typ] {
			out = append(out, Start{ID: cluster.DeriveID(op, "instance/"+typ, n), Type: typ})
		}
	}
	return out
}

// AtMost leaves as many starts of each process type as a limit has; without a limit all
// of them. Those with lower numbers stay, so that a repeat leaves the same.
func AtMost(list []Start, limit map[string]int) []Start {
	if limit == nil {
		return list
	}
	var out []Start
	seen := map[string]int{}
	for _, s := range list {
		if seen[s.Type]++; seen[s.Type] <= limit[s.Type] {
			out = append(out, s)
		}
	}
	return out
}

// Drains lists the app's live instances that are not wanted once the
// operation's own ones run: other releases, replaced ones, and the surplus of
// each type.
func Drains(op cluster.ID, t Target, instances []cluster.Instance) []cluster.ID {
	var out []cluster.ID
	kept := map[string][]cluster.Instance{}
	for _, in := range instances {
		switch {
		case !in.State.Wanted():
		case keeps(t, in):
			kept[in.Type] = append(kept[in.Type], in)
		default:
			out = append(out, in.ID)
		}
	}
	for _, typ := range types(kept) {
		out = append(out, t.surplus(op, kept[typ], t.Want[typ])...)
	}
	slices.Sort(out)
	return out
}

// Missing counts by type what the target lacks and may be started now: not what is
// exclusive while one of its kind is not gone.
func Missing(t Target, instances []cluster.Instance) map[string]int {
	missing := map[string]int{}
	for typ, n := range t.Want {
		missing[typ] = n
	}
	for _, in := range instances {
		if keeps(t, in) && !t.lost(in) {
			missing[in.Type]--
		}
	}
	for typ, n := range missing {
		if n <= 0 || t.Exclusive[typ] && len(t.InTheWay("", []string{typ}, instances)) > 0 {
			delete(missing, typ)
		}
	}
	return missing
}

func keeps(t Target, in cluster.Instance) bool {
	return in.State.Wanted() && in.ReleaseID == t.Release && !slices.Contains(t.Replace, in.ID)
}

// Surplus lists what is beyond the target while enough of it runs without: such as
// instances on a lost node once others do their work, or those of a node that came
// back. Where too little runs, nothing is, and neither while one is about to: it is there
// for another one's sake.
func Surplus(t Target, instances []cluster.Instance) []cluster.ID {
	var out []cluster.ID
	kept, runs, starts := map[string][]cluster.Instance{}, map[string]int{}, map[string]bool{}
	for _, in := range instances {
		if !keeps(t, in) {
			continue
		}
		kept[in.Type] = append(kept[in.Type], in)
		switch {
		case t.lost(in):
		case in.State != cluster.InstanceRunning:
			starts[in.Type] = true
		case !in.Crashing:
			runs[in.Type]++
		}
	}
	for _, typ := range types(kept) {
		if want, known := t.Want[typ]; known && runs[typ] >= want && !starts[typ] {
			out = append(out, t.surplus("", kept[typ], want)...)
		}
	}
	slices.Sort(out)
	return out
}

// surplus gives what is beyond want: the last of what there is by its worth.
func (t Target) surplus(op cluster.ID, list []cluster.Instance, want int) []cluster.ID {
	var out []cluster.ID
	for _, in := range t.byWorth(op, list)[min(want, len(list)):] {
		out = append(out, in.ID)
	}
	return out
}

// byWorth puts instances of one process type in the one order by which they are given up,
// the last one first: what moves is chosen by it too, so that it is that which goes. The
// operation's own stay first, and what runs on nodes that were not lost lately; of those
// the ones on nodes with fewer of their kind, so that what is left is spread; then the
// older ones. Of what is to leave, the least pressing stays first; then what is on nodes
// with less of it, so that these are empty sooner; then the younger ones.
func (t Target) byWorth(op cluster.ID, list []cluster.Instance) []cluster.Instance {
	list = slices.SortedFunc(slices.Values(list), func(a, b cluster.Instance) int {
		return cmp.Or(cmp.Compare(t.tier(op, a), t.tier(op, b)), boolFirst(a.Operation == op, b.Operation == op), cmp.Compare(a.ID, b.ID))
	})
	type place struct {
		node  cluster.ID
		cause MoveCause
	}
	rank, leave, seen := map[cluster.ID]int{}, map[place]int{}, map[cluster.ID]int{}
	for _, in := range list {
		rank[in.ID] = seen[in.NodeID]
		seen[in.NodeID]++
		leave[place{in.NodeID, t.Leaving[in.ID]}]++
	}
	slices.SortStableFunc(list, func(a, b cluster.Instance) int {
		why, other := t.Leaving[a.ID], t.Leaving[b.ID]
		if first := cmp.Or(cmp.Compare(t.tier(op, a), t.tier(op, b)), -cmp.Compare(why.rank(), other.rank())); first != 0 {
			return first
		}
		if why == "" {
			return cmp.Compare(rank[a.ID], rank[b.ID])
		}
		return cmp.Or(cmp.Compare(leave[place{a.NodeID, why}], leave[place{b.NodeID, why}]), -cmp.Compare(a.ID, b.ID))
	})
	return list
}

// tier is how dispensable an instance is: no spread is worth one that runs for one
// that does not.
func (t Target) tier(op cluster.ID, in cluster.Instance) int {
	switch {
	case in.Operation == op && op != "":
		return 0
	case t.lost(in):
		return 4
	case in.State != cluster.InstanceRunning || in.Crashing:
		return 3
	case t.Leaving[in.ID] != "":
		return 2
	case t.Held[in.NodeID]:
		return 1
	}
	return 0
}

func boolFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func types[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Serving is the release that serves: the one with the most weight, empty
// without traffic.
func Serving(weights []cluster.Weight) cluster.ID {
	var best cluster.Weight
	for _, w := range weights {
		if w.Weight > best.Weight || best.Release == "" {
			best = w
		}
	}
	return best.Release
}
