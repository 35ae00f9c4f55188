package pacemaker

import (
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// A replacement that fails while a person's change goes on was overtaken by that: it
// needs nobody's attention, as one does that failed by itself.
func TestTreeEnded_CancelsWhatAChangeHasOvertaken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	replace := func() cluster.Operation {
		op, err := r.begin(t.Context(), cluster.Operation{Kind: cluster.OpReplace, AppID: app.ID, Title: "Move web.1 of shop off n2", Args: cluster.Request{}.Encode()})
		testkit.Must(t, err)
		r.Clock.Forward(time.Second)
		return op
	}

	alone := r.finish(replace(), jobs.Failed)
	overtaken := replace()
	_, err := r.begin(t.Context(), cluster.Operation{Kind: cluster.OpScale, AppID: app.ID, Title: "Scale web of shop to 6", User: "ann", Args: cluster.Request{}.Encode()})
	testkit.Must(t, err)
	r.Clock.Forward(time.Second)
	overtaken = r.finish(overtaken, jobs.Failed)
	after := r.finish(replace(), jobs.Failed)

	if alone.State != cluster.OperationFailed || after.State != cluster.OperationFailed {
		t.Errorf("got %s before the change, %s of what came after it; want both failed", alone.State, after.State)
	}
	if overtaken.State != cluster.OperationAborted || !strings.Contains(overtaken.Error, "Scale web of shop to 6: its worker died 3 times") {
		t.Errorf("got %s (%s), want it cancelled, with what has overtaken it", overtaken.State, overtaken.Error)
	}
}
