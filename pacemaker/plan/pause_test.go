package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/pacemaker/cluster"
)

func TestPause_DoublesUpToItsLimit(t *testing.T) {
	for failures, want := range map[int]time.Duration{1: 2 * time.Second, 2: 4 * time.Second, 8: 256 * time.Second, 9: 5 * time.Minute, 1000: 5 * time.Minute} {
		if got := Pause(failures); got != want {
			t.Errorf("after %d failures: got %s, want %s", failures, got, want)
		}
	}
}

func TestFailedTries_CountSinceASuccessOrARequest(t *testing.T) {
	at := time.Unix(1000, 0)
	op := func(app cluster.ID, kind cluster.OperationKind, state cluster.OperationState, age time.Duration, types ...string) cluster.Operation {
		ended := at.Add(-age)
		return cluster.Operation{AppID: app, Kind: kind, State: state, CreatedAt: ended, Turn: &ended, EndedAt: &ended, Args: cluster.Request{Types: types}.Encode()}
	}
	failed, succeeded := cluster.OperationFailed, cluster.OperationSucceeded
	of := []TypeOf{{"a", "web"}, {"a", "worker"}, {"b", "web"}, {"c", "web"}}

	got, err := FailedTries([]cluster.Operation{
		{AppID: "a", Kind: cluster.OpReplace, State: cluster.OperationOpen, CreatedAt: at, Turn: &at, Args: cluster.Request{}.Encode()},
		{AppID: "a", Kind: cluster.OpDeploy, State: cluster.OperationOpen, CreatedAt: at.Add(-2), Args: cluster.Request{}.Encode()}, // it builds
		op("a", cluster.OpReplace, failed, 1, "web"),
		op("a", cluster.OpRetire, failed, 2),
		op("a", cluster.OpReplace, succeeded, 3, "worker"),
		op("a", cluster.OpReplace, failed, 4),
		op("b", cluster.OpReplace, cluster.OperationAborted, 5, "web"),
		op("b", cluster.OpScale, failed, 6),
		op("b", cluster.OpReplace, failed, 7, "web"),
		op("d", cluster.OpReplace, failed, 8, "web"),
	}, of)

	want := map[TypeOf]Tries{{"a", "web"}: {2, at.Add(-1)}, {"b", "web"}: {1, at.Add(-5)}}
	if diff := cmp.Diff(got, want); err != nil || diff != "" {
		t.Errorf("got - want + (%v)\n%s", err, diff)
	}
}
