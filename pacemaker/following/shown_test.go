package following_test

import (
	"slices"
	"testing"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/following"
)

func TestForemost_ShowsWhatRunsAndThenTheNewest(t *testing.T) {
	t.Parallel()
	var open []cluster.Operation
	add := func(id, app string, kind cluster.OperationKind) {
		open = append(open, cluster.Operation{ID: cluster.ID(id), AppID: cluster.ID(app), Kind: kind})
	}
	add("runs 1", "shop", cluster.OpDeploy)
	for _, id := range []string{"w1", "w2", "w3", "w4"} {
		add(id, "shop", cluster.OpRestart)
	}
	add("runs 2", "blog", cluster.OpScale)
	add("runs 3", "shop", cluster.OpRetire)

	for n, want := range map[int][]cluster.ID{
		10: {"runs 1", "w1", "w2", "w3", "w4", "runs 2", "runs 3"},
		5:  {"runs 1", "w3", "w4", "runs 2", "runs 3"},
		2:  {"runs 2", "runs 3"},
	} {
		var got []cluster.ID
		for _, op := range following.Foremost(open, n) {
			got = append(got, op.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d of them: got %q, want %q", n, got, want)
		}
	}
}
