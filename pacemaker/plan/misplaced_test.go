package plan

import (
	"fmt"
	"strings"
	"testing"

	"aorta/pacemaker/cluster"
)

func TestMisplaced_NamesWhatHasToMove(t *testing.T) {
	ssd, eu := cluster.Tag{Key: "ssd"}, cluster.Tag{Key: "region", Value: "eu"}
	release := cluster.Release{ID: "r2", Processes: []cluster.ProcessType{
		{Name: "web", Tags: cluster.Tags{Require: []cluster.Tag{ssd}, Prefer: []cluster.Tag{eu}}}, {Name: "worker"},
	}}
	nodes := []cluster.Node{
		{ID: "fast", SetTags: map[string]string{"ssd": "true"}},
		{ID: "slow", Tags: map[string]string{"ssd": "true"}}, // by its own word alone
		{ID: "near", SetTags: map[string]string{"ssd": "true", "region": "eu"}},
	}
	var list []cluster.Instance
	for _, in := range []struct{ id, typ, release, node, state string }{
		{"9", "web", "r2", "slow", "running"},
		{"1", "web", "r2", "fast", "running"},
		{"2", "web", "r2", "slow", "starting"},
		{"3", "web", "r1", "slow", "running"},  // goes with its release
		{"4", "web", "r2", "slow", "draining"}, // goes already
		{"5", "worker", "r2", "slow", "running"},
		{"6", "web", "r2", "gone", "running"}, // of which nothing is known
		{"7", "web", "r2", "near", "running"},
	} {
		list = append(list, cluster.Instance{ID: cluster.ID(in.id), Type: in.typ, ReleaseID: cluster.ID(in.release), NodeID: cluster.ID(in.node), State: cluster.InstanceState(in.state)})
	}
	byHand := func(t cluster.Tags) map[string]cluster.Formation {
		return map[string]cluster.Formation{"web": {Type: "web", Tags: t}, "worker": {Type: "worker", Tags: t}}
	}
	for what, c := range map[string]struct {
		asked map[string]cluster.Formation
		want  string
	}{
		"what the source requires":       {nil, "2 9"},
		"what a person requires instead": {byHand(cluster.Tags{Require: []cluster.Tag{eu}}), "1 2 5 9"},
		"preferences move nothing":       {byHand(cluster.Tags{Prefer: []cluster.Tag{{Key: "moon"}}}), "2 9"},
	} {
		var got []string
		for _, in := range Misplaced(release, c.asked, list, nodes) {
			got = append(got, string(in.ID))
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: got %s, want %s", what, text, c.want)
		}
	}
	if got := Misplaced(release, nil, list, nil); len(got) != 0 {
		t.Errorf("without nodes: got %s, want none", fmt.Sprint(got))
	}
}
