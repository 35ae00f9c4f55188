package place

import (
	"fmt"
	"strings"
	"testing"

	"aorta/pacemaker/cluster"
)

func node(i int) Node {
	return Node{ID: cluster.ID(fmt.Sprintf("n%04d", i)), Name: fmt.Sprintf("n%d", i), Heart: true, Ready: true}
}

func TestChoose_SpreadsBeforeScore(t *testing.T) {
	a, b := node(1), node(2)
	a.Score, b.Score = 0.1, 0.9

	got, err := Choose(Request{Count: 4}, []Node{a, b})
	if err != nil {
		t.Fatal(err)
	}

	want := []cluster.ID{a.ID, b.ID, a.ID, b.ID}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Machines that are busy to the full have the same score, and yet not all goes to one.
func TestChoose_TakesTheLessPromisedOfTwoThatAreAsBusy(t *testing.T) {
	a, b := node(1), node(2)
	a.Score, b.Score = 1, 1
	a.Reserved.Memory, b.Reserved.Memory = 1<<30, 512<<20

	got, err := Choose(Request{Count: 1}, []Node{a, b})
	if err != nil || len(got) != 1 || got[0] != b.ID {
		t.Errorf("got %v, %v; want %s, which has less promised", got, err, b.ID)
	}
}

func TestChoose_NamesWhyForEachNode(t *testing.T) {
	dead, full, drain, other := node(1), node(2), node(3), node(4)
	dead.Ready = false
	full.Memory, full.Reserved.Memory = 1<<30, 900<<20
	drain.Draining = true
	other.Heart = false

	_, err := Choose(Request{Count: 1, Limits: cluster.Limits{Memory: 512 << 20}}, []Node{dead, full, drain, other})

	for _, want := range []string{"n1 is suspect", "n2 has 124 MB of 1 GB memory left, 512 MB is needed", "n3 is draining", "n4 runs no instances"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to say %q", err, want)
		}
	}
	if cluster.CodeOf(err) != cluster.CodeUnavailable {
		t.Errorf("got code %s, want unavailable", cluster.CodeOf(err))
	}
}

func TestFits_CountsWhatNodesCouldHold(t *testing.T) {
	busy, silent, unknown, router := node(1), node(2), node(3), node(4)
	busy.Memory, busy.CPUs, busy.Reserved = 1<<30, 2, cluster.Limits{Memory: 1 << 30, CPUs: 8}
	silent.Memory, silent.CPUs, silent.Ready, silent.Draining = 1<<30, 2, false, true
	router.Heart = false
	half := cluster.Limits{Memory: 512 << 20, CPUs: 0.5}
	for _, tc := range []struct {
		what  string
		req   Request
		nodes []Node
		says  string
	}{
		{"as many as there is room on empty nodes", Request{Count: 4, Limits: half}, []Node{busy, silent, router}, ""},
		{"one more", Request{Count: 5, Limits: half}, []Node{busy, silent, router}, "1 of 5 instances find no node: n1 has 0 bytes of 1 GB memory left, 512 MB is needed; n2 has 0 bytes of"},
		{"larger than any node", Request{Count: 1, Limits: cluster.Limits{Memory: 2 << 30}}, []Node{busy, silent}, "n1 has 1 GB of 1 GB memory left, 2 GB is needed"},
		{"more cores than any node promises", Request{Count: 1, Limits: cluster.Limits{CPUs: 9}}, []Node{busy}, "n1 has promised 0.00 of its 2 × 4 CPUs"},
		{"a node that nothing is known of", Request{Count: 5000, Limits: half}, []Node{busy, unknown}, ""},
		{"no node yet", Request{Count: 5, Limits: half}, []Node{router}, ""},
	} {
		err := Fits(tc.req, tc.nodes)

		if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: got %v, want %q", tc.what, err, tc.says)
		}
	}
}

func TestChoose_TakesTagsForWhatTheyAre(t *testing.T) {
	plain, eu, ssd, own := node(1), node(2), node(3), node(4)
	ssd.SetTags = map[string]string{"disk": "ssd"}
	eu.Tags, own.Tags = map[string]string{"region": "eu"}, map[string]string{"disk": "ssd"}
	ssd.Tags = ssd.SetTags
	nodes := []Node{plain, eu, ssd, own}
	for _, tc := range []struct {
		what string
		tags cluster.Tags
		want string
	}{
		{"required ones are those that were set", cluster.Tags{Require: []cluster.Tag{{Key: "disk"}}}, "n0003 n0003"},
		{"also by their value", cluster.Tags{Require: []cluster.Tag{{Key: "disk", Value: "ssd"}}}, "n0003 n0003"},
		{"preferred ones may be a node's own word, and come after the spread", cluster.Tags{Prefer: []cluster.Tag{{Key: "region", Value: "eu"}}}, "n0002 n0001"},
		{"more of them are better", cluster.Tags{Prefer: []cluster.Tag{{Key: "region", Value: "us"}, {Key: "disk"}}}, "n0003 n0004"},
	} {
		got, err := Choose(Request{Count: 2, Tags: tc.tags}, nodes)

		if text := strings.Trim(fmt.Sprint(got), "[]"); err != nil || text != tc.want {
			t.Errorf("%s: got %s, %v, want %s", tc.what, text, err, tc.want)
		}
	}
}

// An operator reads what is wrong with a hundred nodes in one line.
func TestNoRoom_SharesWordsAmongNodes(t *testing.T) {
	world := func(change func(i int, n *Node)) []Node {
		var nodes []Node
		for i := range 9 {
			n := node(i + 1)
			n.Memory, n.Arch, n.SetTags, n.Tags = 1<<30, "amd64", map[string]string{"ssd": "true"}, map[string]string{"ssd": "true"}
			change(i, &n)
			nodes = append(nodes, n)
		}
		return nodes
	}
	untagged := func(i int, n *Node) {
		if i < 8 {
			n.SetTags, n.Tags = nil, nil
		}
	}
	for _, tc := range []struct {
		what   string
		change func(i int, n *Node)
		want   string
	}{
		{"many alike, and one", func(i int, n *Node) { untagged(i, n); n.Reserved.Memory = 900 << 20 }, "8 nodes lack tag ssd; n9 has 124 MB of 1 GB memory left, 512 MB is needed"},
		{"many with little", func(i int, n *Node) { n.Reserved.Memory = int64(600+i) << 20 }, "9 nodes have too little memory left, 512 MB is needed (n1 has most: 424 MB)"},
		{"few alike", func(i int, n *Node) { untagged(i, n); n.Draining = i == 8; n.Heart = i != 1 && i != 2 }, "6 nodes lack tag ssd; n2 and n3 run no instances (no heart role); n9 is draining"},
		{"by their own word", func(i int, n *Node) { n.SetTags = nil; n.Heart = i == 3 }, "8 nodes run no instances (no heart role); n4 has tag ssd=true by its own word alone, which counts once you set it (aorta nodes tag n4 ssd=true)"},
		{"another architecture", func(i int, n *Node) { n.Arch = "arm64" }, "9 nodes are arm64, and the image is for amd64"},
		{"no room for the image", func(i int, n *Node) { n.DiskFree = 700 << 20; n.Heart = i == 0 }, "n1 has 700 MB of disk left: the image takes 300 MB, and 512 MB stay free; 8 nodes run no instances (no heart role)"},
	} {
		req := Request{Count: 1, Limits: cluster.Limits{Memory: 512 << 20}, Tags: cluster.Tags{Require: []cluster.Tag{{Key: "ssd"}}}, Image: Image{Arch: "amd64", Size: 300 << 20}}

		_, err := Choose(req, world(tc.change))

		if want := "1 of 1 instances find no node: " + tc.want; err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", tc.what, err, want)
		}
	}
}

// An image that is on the node already takes no more of its disk.
func TestChoose_KeepsTheDiskFloor(t *testing.T) {
	full, has := node(1), node(2)
	full.DiskFree, has.DiskFree, has.HasImage, has.Score = 600<<20, 1, true, 0.9

	got, err := Choose(Request{Count: 2, Image: Image{Size: 100 << 20}}, []Node{full, has})

	if err != nil || fmt.Sprint(got) != "[n0002 n0002]" {
		t.Errorf("got %v, %v, want both where the image is", got, err)
	}
}

func TestFits_NeedsTheTags(t *testing.T) {
	unknown, plain := node(1), node(2)
	plain.Memory = 1 << 30
	req := Request{Count: 1, Tags: cluster.Tags{Require: []cluster.Tag{{Key: "ssd"}}}}

	if err := Fits(req, []Node{unknown, plain}); err == nil || !strings.Contains(err.Error(), "n1 and n2 lack tag ssd") {
		t.Errorf("got %v, want it to name both", err)
	}
}

// A node that was lost lately gets something only when no other one takes it.
func TestChoose_TakesHeldNodesLast(t *testing.T) {
	a, b, held := node(1), node(2), node(3)
	held.Held, b.Memory, a.Memory, b.Siblings = true, 2, 2, 1
	limits := cluster.Limits{Memory: 1}

	one, _ := Choose(Request{Count: 1, Limits: limits}, []Node{held, b})
	five, err := Choose(Request{Count: 5, Limits: limits}, []Node{a, b, held})

	if fmt.Sprint(one) != fmt.Sprint([]cluster.ID{b.ID}) {
		t.Errorf("got %v, want %s, though it has one already", one, b.ID)
	}
	if want := []cluster.ID{a.ID, b.ID, a.ID, b.ID, held.ID}; err != nil || fmt.Sprint(five) != fmt.Sprint(want) {
		t.Errorf("got %v, %v; want %v", five, err, want)
	}
}
