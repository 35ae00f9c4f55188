package place

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"aorta/pacemaker/cluster"
)

var (
	plans = flag.Int("plans", 20_000, "how many plans over random worlds the rules are checked on")
	seed  = flag.Uint64("seed", 0, "of the worlds; 0: another one each time")
)

// Whatever the world, a plan breaks no rule. The rules are written out here once more,
// from what they say and not from how the choice is made.
func TestChoose_BreaksNoRuleInAnyWorld(t *testing.T) {
	from := *seed
	if from == 0 {
		from = uint64(time.Now().UnixNano())
	}
	made, refused, instances := 0, 0, 0
	for i := range *plans {
		w := newWorld(rand.New(rand.NewPCG(from, uint64(i))))
		if broken := w.check(); broken != "" {
			t.Fatalf("plan %d of -seed %d: %s\nrequest: %+v\nnodes: %+v", i, from, broken, w.req, w.nodes)
		}
		if made++; w.err != nil {
			refused++
		}
		instances += len(w.got)
	}
	t.Logf("%d plans over random worlds, seed %d: %d instances placed, %d requests refused, no rule broken", made, from, instances, refused)
	if *plans >= 1000 && (refused == 0 || refused == made) {
		t.Errorf("got %d of %d refused: such worlds show nothing", refused, made)
	}
}

// world is a request with the nodes that it finds, and what came of it.
type world struct {
	rnd   *rand.Rand
	req   Request
	nodes []Node
	got   []cluster.ID
	err   error
}

func newWorld(rnd *rand.Rand) *world {
	w := &world{rnd: rnd}
	w.req = Request{
		Count: rnd.IntN(12), Limits: cluster.Limits{Memory: int64(rnd.IntN(3)) << 28, CPUs: float64(rnd.IntN(3)) / 2},
		Tags:  cluster.Tags{Require: w.tags(), Prefer: w.tags()},
		Image: Image{Arch: w.one("", "amd64", "amd64", "arm64"), Size: int64(rnd.IntN(4)) << 28},
	}
	for i := range rnd.IntN(13) {
		w.nodes = append(w.nodes, w.node(i))
	}
	return w
}

func (w *world) node(i int) Node {
	n := node(i)
	n.Heart, n.Ready, n.Draining = w.rnd.IntN(8) > 0, w.rnd.IntN(8) > 0, w.rnd.IntN(8) == 0
	n.Held = w.rnd.IntN(8) == 0
	n.Score = float64(w.rnd.IntN(3)) / 2
	n.Memory, n.CPUs, n.DiskFree = int64(w.rnd.IntN(17))<<28, float64(w.rnd.IntN(4)), int64(w.rnd.IntN(9))<<28
	n.Reserved = cluster.Limits{Memory: int64(w.rnd.IntN(5)) << 28, CPUs: float64(w.rnd.IntN(7)) / 2}
	n.Siblings, n.HasImage, n.Arch = w.rnd.IntN(4), w.rnd.IntN(4) == 0, w.one("", "amd64", "amd64", "amd64", "arm64")
	n.SetTags, n.Tags = map[string]string{}, map[string]string{}
	for _, key := range []string{"ssd", "region", "rack"} {
		if value := w.one("", "a", "b"); value != "" {
			n.Tags[key] = value
			if w.rnd.IntN(4) > 0 {
				n.SetTags[key] = value
			}
		}
	}
	return n
}

func (w *world) one(of ...string) string { return of[w.rnd.IntN(len(of))] }

// tags are none, mostly.
func (w *world) tags() []cluster.Tag {
	var list []cluster.Tag
	for range max(0, w.rnd.IntN(7)-4) {
		list = append(list, cluster.Tag{Key: w.one("ssd", "region", "rack"), Value: w.one("", "a", "b")})
	}
	return list
}

// check makes the plan and names the first rule that it breaks.
func (w *world) check() string {
	before := slices.Clone(w.nodes)
	w.got, w.err = Choose(w.req, w.nodes)
	if !reflect.DeepEqual(before, w.nodes) {
		return "the nodes were changed"
	}
	mixed := slices.Clone(w.nodes)
	w.rnd.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	if again, _ := Choose(w.req, mixed); !slices.Equal(again, w.got) {
		return fmt.Sprintf("equal worlds gave %v and %v", w.got, again)
	}
	count := map[cluster.ID]int{}
	for _, id := range w.got {
		count[id]++
	}
	if w.err != nil {
		return w.refusalBroken()
	}
	if len(w.got) != w.req.Count {
		return fmt.Sprintf("%d are placed of %d", len(w.got), w.req.Count)
	}
	for i := range w.nodes {
		n := &w.nodes[i]
		if c := count[n.ID]; c > 0 && !w.mayHave(n, c) {
			return fmt.Sprintf("%s has %d and may not: %v", n.Name, c, w.got)
		}
	}
	return w.orderBroken(count)
}

// refusalBroken holds a refusal against what the nodes could have taken.
func (w *world) refusalBroken() string {
	full, is := w.err.(*NoRoom)
	room := 0
	for i := range w.nodes {
		for c := 1; c <= w.req.Count && w.mayHave(&w.nodes[i], c); c++ {
			room++
		}
	}
	switch {
	case !is || len(w.got) != 0:
		return fmt.Sprintf("got %v beside %v", w.got, w.err)
	case room >= w.req.Count || full.Placed != room:
		return fmt.Sprintf("there is room for %d, and it says %v", room, full)
	case len(full.Refused) != len(w.nodes):
		return fmt.Sprintf("it says of %d of %d nodes why", len(full.Refused), len(w.nodes))
	}
	for _, r := range full.Refused {
		if r.Reason == "" {
			return "it does not say why " + r.Node + " is refused"
		}
	}
	return ""
}

// orderBroken looks for a node that got an instance which another one should have got:
// that was not lost lately, or else has fewer of its kind, or as few and more of the preferred tags, or a lower score.
func (w *world) orderBroken(count map[cluster.ID]int) string {
	for i := range w.nodes {
		a := &w.nodes[i]
		if count[a.ID] == 0 {
			continue
		}
		for j := range w.nodes {
			b := &w.nodes[j]
			if a == b || !w.mayHave(b, count[b.ID]+1) {
				continue
			}
			had, has := a.Siblings+count[a.ID]-1, b.Siblings+count[b.ID]
			if a.Held && !b.Held || a.Held == b.Held && (had > has || had == has && w.worse(a, b)) {
				return fmt.Sprintf("%s got one that should be on %s: %v", a.Name, b.Name, w.got)
			}
		}
	}
	return ""
}

func (w *world) worse(a, b *Node) bool {
	if pa, pb := w.preferred(a), w.preferred(b); pa != pb {
		return pa < pb
	}
	return a.Score > b.Score
}

func (w *world) preferred(n *Node) (count int) {
	for _, t := range w.req.Tags.Prefer {
		if has(n.Tags, t) {
			count++
		}
	}
	return count
}

func has(tags map[string]string, t cluster.Tag) bool {
	if t.Value == "" {
		return tags[t.Key] != ""
	}
	return tags[t.Key] == t.Value
}

// mayHave says whether a node may have as many instances of the request.
func (w *world) mayHave(n *Node, count int) bool {
	if !n.Heart || !n.Ready || n.Draining {
		return false
	}
	for _, t := range w.req.Tags.Require {
		if !has(n.SetTags, t) {
			return false
		}
	}
	sameArch := n.Arch == "" || w.req.Image.Arch == "" || n.Arch == w.req.Image.Arch
	memory := n.Memory == 0 || n.Reserved.Memory+int64(count)*w.req.Limits.Memory <= n.Memory
	cpus := n.CPUs == 0 || w.req.Limits.CPUs == 0 || n.Reserved.CPUs+float64(count)*w.req.Limits.CPUs <= 4*n.CPUs
	disk := n.HasImage || n.DiskFree == 0 || w.req.Image.Size == 0 || n.DiskFree-w.req.Image.Size >= 512<<20
	return sameArch && memory && cpus && disk
}
