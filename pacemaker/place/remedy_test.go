package place

import (
	"errors"
	"testing"

	"aorta/pacemaker/cluster"
)

// What is proposed follows from what stands in the way, and never ends what is wanted.
func TestRemedy_FollowsFromWhatStandsInTheWay(t *testing.T) {
	ssd := cluster.Tags{Require: []cluster.Tag{{Key: "ssd"}}}
	ready := func(name string, change func(*Node)) Node {
		n := Node{ID: cluster.ID(name), Name: name, Heart: true, Ready: true, Memory: 1 << 30, CPUs: 1}
		change(&n)
		return n
	}
	tagged := func(n *Node) { n.SetTags = map[string]string{"ssd": ""}; n.Tags = n.SetTags }
	plain := func(*Node) {}
	dead := func(n *Node) { n.Ready, n.Dead = false, true }
	suspect := func(n *Node) { n.Ready = false }
	draining := func(n *Node) { n.Draining = true }
	full := func(n *Node) { n.Reserved.Memory = n.Memory }
	busy := func(n *Node) { n.Reserved.CPUs = 4 }
	for name, c := range map[string]struct {
		tags  cluster.Tags
		nodes []Node
		want  string
	}{
		"the one with the tag is dead": {
			ssd,
			[]Node{ready("n1", draining), ready("n2", plain), ready("n3", func(n *Node) { tagged(n); dead(n) })},
			"bring n3 back, add a node with tag ssd, or run aorta nodes tag n2 ssd",
		},
		"nobody could have the tag": {ssd, []Node{ready("n1", dead)}, "add a node with tag ssd"},
		"dead and suspect":          {cluster.Tags{}, []Node{ready("n1", dead), ready("n2", suspect)}, "bring n1 or n2 back or add a node"},
		"many dead":                 {cluster.Tags{}, []Node{ready("n1", dead), ready("n2", dead), ready("n3", dead), ready("n4", dead)}, "bring one of 4 silent nodes back or add a node"},
		"dead, and full besides":    {cluster.Tags{}, []Node{ready("n1", func(n *Node) { dead(n); full(n) })}, "add a node"},
		"draining":                  {cluster.Tags{}, []Node{ready("n1", draining)}, "run aorta nodes undrain n1 or add a node"},
		"full":                      {cluster.Tags{}, []Node{ready("n1", full)}, "add a node or limit each to less memory: aorta ps type -a shop web --memory SIZE"},
		"full and busy": {
			cluster.Tags{},
			[]Node{ready("n1", full), ready("n2", busy)},
			"add a node or limit each to less memory and CPU: aorta ps type -a shop web --memory SIZE --cpus N",
		},
		"no disk":  {cluster.Tags{}, []Node{ready("n1", func(n *Node) { n.DiskFree = 1 })}, "free disk space on n1 or add a node"},
		"no heart": {cluster.Tags{}, []Node{ready("n1", func(n *Node) { n.Heart = false })}, "add a node"},
		"no node":  {cluster.Tags{}, nil, "add a node"},
	} {
		req := Request{Count: 2, Limits: cluster.Limits{Memory: 256 << 20, CPUs: 1}, Tags: c.tags, Image: Image{Size: 1 << 20}}

		_, err := Choose(req, c.nodes)

		var none *NoRoom
		if !errors.As(err, &none) {
			t.Errorf("%s: got %v, want no room", name, err)
		} else if got := none.Remedy().Text("shop", "web"); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// The architecture of a new node matters to who has several.
func TestRemedy_NamesAnArchitectureWhereThereAreSeveral(t *testing.T) {
	req := Request{Count: 1, Image: Image{Arch: "amd64"}}
	for other, want := range map[string]string{
		"amd64": "run aorta nodes undrain n1 or add a node",
		"arm64": "run aorta nodes undrain n1 or add a node with architecture amd64",
	} {
		nodes := []Node{
			{ID: "1", Name: "n1", Heart: true, Ready: true, Draining: true, Arch: "amd64"},
			{ID: "2", Name: "n2", Heart: other != "amd64", Arch: other},
		}

		_, err := Choose(req, nodes)

		var none *NoRoom
		if !errors.As(err, &none) {
			t.Fatalf("%s: got %v, want no room", other, err)
		}
		if got := none.Remedy().Text("shop", "web"); got != want {
			t.Errorf("beside %s: got %q, want %q", other, got, want)
		}
	}
}

// A node that refuses is said to be in the state that lists of nodes show.
func TestRefusals_NameTheNodesState(t *testing.T) {
	for want, n := range map[string]Node{
		"is dead":     {Heart: true, Dead: true},
		"is suspect":  {Heart: true},
		"is draining": {Heart: true, Ready: true, Draining: true},
		"is drained":  {Heart: true, Ready: true, Draining: true, Empty: true},
	} {
		if got := Refusals(Request{Count: 1}, []Node{n}, nil); len(got) != 1 || got[0].Reason != want {
			t.Errorf("got %+v, want %q", got, want)
		}
	}
}
