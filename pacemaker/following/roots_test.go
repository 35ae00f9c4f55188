package following_test

import (
	"errors"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

func TestRoots_ShowWhatPeopleNeedToKnow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	old := r.BeginDeploy(app, "img:1")
	r.Fail(old.ID, "its worker died 3 times")
	old = r.reread(old)

	before, err := r.following.Roots(t.Context(), old)
	testkit.Must(t, err)
	again := r.Begin(app, cluster.OpDeploy, cluster.Request{Retries: old.ID})
	behind := r.BeginDeploy(app, "img:2")
	r.plant(again)
	after, err := r.following.Roots(t.Context(), r.reread(behind), r.reread(again), old)
	testkit.Must(t, err)

	if b := before[0]; !b.Attention || b.App != "shop" || b.JobState != jobs.Failed || !strings.HasPrefix(b.Error, "its worker died 3 times") {
		t.Errorf("got %+v, want it to need attention, with its cause", b)
	}
	if w := after[0].WaitsFor; w == nil || w.ID != again.ID || w.User != "admin" {
		t.Errorf("got it waiting for %+v, want for the retry", w)
	}
	if after[1].RetryOf != old.ID || after[1].WaitsFor != nil || after[2].Attention {
		t.Errorf("got %+v and %+v, want a retry that waits for nobody, and the old one settled", after[1], after[2])
	}
}

func (r *fixture) reread(op cluster.Operation) cluster.Operation {
	r.TB.Helper()
	op, err := r.Store.Operation(r.TB.Context(), op.ID)
	testkit.Must(r.TB, err)
	return op
}

// A jobs Redis that hangs takes seconds for each question.
func TestRoots_AskARedisThatIsAwayOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first, second := r.BeginDeploy(r.App("shop"), "img:1"), r.BeginDeploy(r.App("blog"), "img:1")
	before := r.Jobs.Asked
	r.Jobs.Err = errors.New("i/o timeout")

	roots, err := r.following.Roots(t.Context(), r.reread(first), r.reread(second))

	testkit.Must(t, err)
	if n := r.Jobs.Asked - before; n != 1 || roots[0].JobState != jobs.Waiting || roots[1].JobState != jobs.Waiting {
		t.Errorf("got %d questions and %s, %s; want one, and both waiting", n, roots[0].JobState, roots[1].JobState)
	}
}
