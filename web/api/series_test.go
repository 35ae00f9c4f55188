package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/api"
	"aorta/web/internal/rig"
	"aorta/web/wire"
)

func TestSeries_ShowsStepsGapsAndMarks(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	numbers := r.Numbers
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	release := r.NewRelease(app)
	ms := 12.345
	at := time.Now().Add(-5 * time.Minute).Unix()
	numbers.Points = []api.SeriesPoint{{Time: at, Status: [6]uint64{0, 0, 7, 3, 2, 1}, Bytes: 99, P50: &ms}}

	got := rig.As[wire.Series](t, r.Admin("GET", "/apps/shop/series?range=10m&release=v1", ""))
	whole := rig.As[wire.Series](t, r.Admin("GET", "/series?range=6h", ""))

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
	if q := numbers.Asked[0]; q.App != string(app.ID) || q.Release != string(release.ID) || q.To.After(time.Now().Add(-time.Second)) {
		t.Errorf("asked %+v, want shop's v1 until a second ago", q)
	}
}

// Each range is shown in the steps that are kept of all of it.
func TestSeries_HasStepsForEachRange(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	for name, want := range map[string][2]int64{
		"10m": {10, 60}, "1h": {60, 60}, "6h": {60, 360}, "24h": {60, 1440}, "2d": {60, 2880}, "7d": {3600, 168}, "90d": {3600, 2160},
	} {
		got := rig.As[wire.Series](t, r.Admin("GET", "/series?range="+name, ""))

		if got.Step != want[0] || int64(len(got.T)) != want[1] {
			t.Errorf("%s: got %d steps of %d s, want %d of %d", name, len(got.T), got.Step, want[1], want[0])
		}
	}
}

// What an app has had in its first minute or hour is shown before that is over,
// with how much of it is counted.
func TestSeries_ShowsTheStepUnderWay(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	_, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	for _, name := range []string{"1h", "24h", "7d", "90d"} {
		asked := time.Now()

		got := rig.As[wire.Series](t, r.Admin("GET", "/apps/shop/series?range="+name, ""))

		last := got.T[len(got.T)-1]
		if got.To < asked.Add(-time.Second).Unix() || got.To <= last || got.To > last+got.Step {
			t.Errorf("%s: got the last step at %d, counted until %d, want that within it and a second old at %d", name, last, got.To, asked.Unix())
		}
		if q := r.Numbers.Asked[len(r.Numbers.Asked)-1]; q.From.Unix()%got.Step != 0 || q.To.Before(asked.Add(-2*time.Second)) {
			t.Errorf("%s: asked %+v, want whole steps until a second ago", name, q)
		}
	}
}

func TestSeries_AllAppsAreComputedOnceAStep(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	numbers := r.Numbers

	for range 5 {
		for _, name := range []string{"90d", "2d"} {
			r.Admin("GET", "/series?range="+name, "")
		}
	}

	if n := len(numbers.Asked); n < 2 || n > 4 {
		t.Errorf("got %d computations of two ranges, want one each, or one more at the turn of a step", n)
	}
}

func TestSeries_RefusesAndSaysWhy(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	numbers := r.Numbers
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	r.NewRelease(app)
	for path, status := range map[string]int{
		"/series": 422, "/series?range=3h": 422, "/apps/shop/series?range=10m&release=x": 422,
		"/apps/shop/series?range=10m&release=v9": 404, "/apps/no/series?range=10m": 404,
	} {
		rig.WantProblem(t, r.Do(rig.Ask{Method: "GET", Path: path, Token: rig.ViewerToken}), status)
	}
	numbers.Set(func() { numbers.Err = cluster.Unavailable("the statistics do not answer") })

	one := r.Do(rig.Ask{Method: "GET", Path: "/apps/shop/series?range=10m", Token: rig.ViewerToken})
	all := r.Do(rig.Ask{Method: "GET", Path: "/series?range=90d", Token: rig.ViewerToken})
	numbers.Set(func() { numbers.Err = nil })
	later := r.Do(rig.Ask{Method: "GET", Path: "/series?range=90d", Token: rig.ViewerToken})

	rig.WantProblem(t, one, http.StatusServiceUnavailable)
	rig.WantProblem(t, all, http.StatusServiceUnavailable)
	if later.Status != http.StatusOK {
		t.Errorf("got %d after a failure, want it computed anew", later.Status)
	}
}
