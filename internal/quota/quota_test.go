package quota_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/quota"
)

func TestQuota_LeavesSomeToTheOthers(t *testing.T) {
	q := quota.New(3, 2)
	var leaves []func()
	var got []bool
	for _, holder := range []string{"a", "a", "a", "b", "c"} {
		leave, ok := q.Take(holder)
		got = append(got, ok)
		leaves = append(leaves, leave)
	}
	if diff := cmp.Diff([]bool{true, true, false, true, false}, got); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}

	leaves[0]()
	leaves[0]() // once counts

	if diff := cmp.Diff(map[string]int{"a": 1, "b": 1}, q.Held()); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	if _, ok := q.Take("c"); !ok {
		t.Error("got nothing for c, want what was given back")
	}
}
