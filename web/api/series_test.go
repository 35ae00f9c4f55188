package api

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

func TestSeries_ShowsStepsGapsAndMarks(t *testing.T) {
	t.Parallel()
	r, numbers := newLiveRig(t)
	app, err := r.pace.CreateApp(t.Context(), "shop", "admin")
	must(t, err)
	release := r.newRelease(app)
	ms := 12.345
	at := time.Now().Add(-5 * time.Minute).Unix()
	numbers.points = []SeriesPoint{{Time: at, Status: [6]uint64{0, 0, 7, 3, 2, 1}, Bytes: 99, P50: &ms}}

	got := as[wire.Series](t, r.admin("GET", "/apps/shop/series?range=10m&release=v1", ""))
	whole := as[wire.Series](t, r.admin("GET", "/series?range=6h", ""))

	i := at - got.From
	if got.Step != 1 || len(got.T) != 600 || got.T[i] != at || len(got.P99) != 600 {
		t.Fatalf("got step %d and %d steps, want 600 of a second", got.Step, len(got.T))
	}
	if *got.S2xx[i] != 7 || *got.S3xx[i] != 3 || *got.S4xx[i] != 2 || *got.S5xx[i] != 1 || *got.Bytes[i] != 99 || *got.P50[i] != 12.3 || got.P95[i] != nil {
		t.Errorf("got another step at %d than what was counted", i)
	}
	if got.S2xx[i+1] != nil || got.Bytes[i-1] != nil {
		t.Errorf("got numbers beside the only step, want gaps")
	}
	if diff := cmp.Diff(got.Marks, []wire.SeriesMark{{T: release.CreatedAt.Unix(), Release: "v1"}}); diff != "" {
		t.Errorf("marks: got - want +\n%s", diff)
	}
	if whole.Step != 60 || len(whole.T) != 360 || len(whole.Marks) != 0 {
		t.Errorf("got step %d, %d steps, marks %v; want 360 minutes, none", whole.Step, len(whole.T), whole.Marks)
	}
	if q := numbers.asked[0]; q.App != string(app.ID) || q.Release != string(release.ID) || q.To.After(time.Now().Add(-counted)) {
		t.Errorf("asked %+v, want shop's v1 until a second ago", q)
	}
}

func TestSeries_AllAppsAreComputedOnceAStep(t *testing.T) {
	t.Parallel()
	r, numbers := newLiveRig(t)

	for range 5 {
		for _, name := range []string{"90d", "2d"} {
			r.admin("GET", "/series?range="+name, "")
		}
	}

	if n := len(numbers.asked); n < 2 || n > 4 {
		t.Errorf("got %d computations of two ranges, want one each, or one more at the turn of a step", n)
	}
}

func TestSeries_RefusesAndSaysWhy(t *testing.T) {
	t.Parallel()
	r, numbers := newLiveRig(t)
	app, err := r.pace.CreateApp(t.Context(), "shop", "admin")
	must(t, err)
	r.newRelease(app)
	for path, status := range map[string]int{
		"/series": 422, "/series?range=1h": 422, "/apps/shop/series?range=10m&release=x": 422,
		"/apps/shop/series?range=10m&release=v9": 404, "/apps/no/series?range=10m": 404,
	} {
		wantProblem(t, r.do(ask{method: "GET", path: path, token: viewerToken}), status)
	}
	numbers.set(func() { numbers.err = cluster.Unavailable("the statistics do not answer") })

	one := r.do(ask{method: "GET", path: "/apps/shop/series?range=10m", token: viewerToken})
	all := r.do(ask{method: "GET", path: "/series?range=90d", token: viewerToken})
	numbers.set(func() { numbers.err = nil })
	later := r.do(ask{method: "GET", path: "/series?range=90d", token: viewerToken})

	wantProblem(t, one, http.StatusServiceUnavailable)
	wantProblem(t, all, http.StatusServiceUnavailable)
	if later.status != http.StatusOK {
		t.Errorf("got %d after a failure, want it computed anew", later.status)
	}
}

func TestHeldSeries_LastsForAStep(t *testing.T) {
	t.Parallel()
	h := &heldSeries{span: span{time.Hour, time.Minute}}
	n := 0
	compute := func(q SeriesQuery) (wire.Series, error) {
		n++
		if n == 3 {
			return wire.Series{}, errors.New("away")
		}
		return columns(q, nil), nil
	}
	start := time.Unix(1_700_000_040, 0) // a whole minute

	var got []string
	for _, after := range []time.Duration{time.Second, 60 * time.Second, 61 * time.Second, 121 * time.Second, 122 * time.Second} {
		s, err := h.get(start.Add(after), compute)
		if err != nil {
			s.From = start.Add(-time.Hour).Unix()
		}
		got = append(got, fmt.Sprintf("%d %d %t", n, s.From-start.Add(-time.Hour).Unix(), err != nil))
	}

	want := []string{"1 0 false", "1 0 false", "2 60 false", "3 0 true", "4 120 false"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("computations, start and failure: got - want +\n%s", diff)
	}
}
