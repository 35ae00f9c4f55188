package main

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
	"aorta/router/stats"
	"aorta/web/api"
	"aorta/web/live"
	"aorta/web/wire"
)

func TestAppNumbers_TellWhatWasCounted(t *testing.T) {
	store := stats.NewStore(testkit.Redis(t).Client(t))
	now := time.Now()
	batch := stats.NewBatch()
	for i, status := range []int{200, 404, 500, 500} {
		batch.Add(&stats.Hit{
			Time: now.Add(time.Duration(-3-i%2) * time.Second), App: "shop", Release: "r1",
			Status: status, Bytes: 100, Seconds: 0.050, Attempts: 1,
		})
	}
	count(t, store, batch)
	numbers := newAppNumbers(store)

	recent, err := numbers.Recent(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	points, err := numbers.Series(t.Context(), api.SeriesQuery{App: "shop", Release: "r1", From: now.Add(-time.Minute), To: now, Step: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	none, err := numbers.Series(t.Context(), api.SeriesQuery{App: "shop", Release: "r2", From: now.Add(-time.Minute), To: now, Step: time.Second})

	for _, app := range []string{"shop", live.AllApps} {
		if r := recent[app]; r.Requests != 4 || r.Errors != 2 || r.Seconds != 10 || r.P95 == nil || *r.P95 < 45 || *r.P95 > 55 {
			t.Errorf("recent of %q: got %+v, want 4 requests, 2 errors in 10 s, p95 about 50 ms", app, r)
		}
	}
	if len(points) != 2 || points[0].Status[5]+points[1].Status[5] != 2 || points[0].Bytes != 200 || points[0].P50 == nil {
		t.Errorf("series: got %+v, want two steps with 2 errors, 200 bytes each", points)
	}
	if len(none) != 0 || err != nil {
		t.Errorf("series of another release: got %v, %v; want none", none, err)
	}
}

// An app is judged by what the release that serves it answered: not by the one before it,
// be that worse or better.
func TestAppNumbers_AnswersAreThoseOfTheReleaseThatServes(t *testing.T) {
	store := stats.NewStore(testkit.Redis(t).Client(t))
	now := time.Now()
	batch := stats.NewBatch()
	for release, statuses := range map[string][]int{"bad": {500, 500, 500, 200}, "good": {200, 200, 200, 200, 200}} {
		for _, status := range statuses {
			batch.Add(&stats.Hit{Time: now.Add(-3 * time.Second), App: "shop", Release: release, Status: status, Attempts: 1})
		}
	}
	count(t, store, batch)
	numbers := newAppNumbers(store)
	for release, want := range map[cluster.ID]overview.Answers{"bad": {Requests: 4, Errors: 3}, "good": {Requests: 5}} {
		got := numbers.Answers(t.Context(), map[cluster.ID]cluster.ID{"shop": release, "quiet": "bad"})

		if diff := cmp.Diff(map[cluster.ID]overview.Answers{"shop": want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", release, diff)
		}
	}
}

// count counts what a router has committed.
func count(t *testing.T, store *stats.Store, b *stats.Batch) {
	t.Helper()
	testkit.Must(t, store.Commit(t.Context(), stats.ShardOf("shop"), "router", nil, stats.Position{"log": 1}, b))
	taker := stats.NewTaker(store, stats.TakerConfig{Routers: func(context.Context) ([]string, error) { return []string{"router"}, nil }})
	testkit.Must(t, taker.Take(t.Context(), time.Now()))
}

// The counts of the window are told beside the totals: an error rate is of the time
// that was asked for, and what was long ago stays out of it.
func TestAppStats_TellsTheWindowBesideTheTotals(t *testing.T) {
	store := stats.NewStore(testkit.Redis(t).Client(t))
	now := time.Now()
	batch := stats.NewBatch()
	for i, age := range []time.Duration{26 * time.Hour, 26 * time.Hour, 3 * time.Second, 3 * time.Second} {
		batch.Add(&stats.Hit{Time: now.Add(-age), App: "shop", Release: "r1", Status: []int{500, 500, 200, 503}[i], Bytes: 100, Seconds: 0.050, Attempts: 1})
	}
	count(t, store, batch)

	got, err := appStats{store}.App(t.Context(), "shop", "r1", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	quiet, err := appStats{store}.App(t.Context(), "shop", "r1", time.Second)
	if err != nil {
		t.Fatal(err)
	}

	half := 0.5
	want := wire.StatsWindow{Seconds: 3600, Requests: 2, Attempts: 2, Bytes: 200, Status: map[string]int64{"2xx": 1, "3xx": 0, "4xx": 0, "5xx": 1}, ErrorRate: &half}
	if diff := cmp.Diff(want, got.Window); diff != "" {
		t.Errorf("window (-want +got):\n%s", diff)
	}
	if got.Requests != 4 || got.Status["5xx"] != 3 || got.Bytes != 400 {
		t.Errorf("totals: got %+v, want all 4 requests, 3 of them 5xx, 400 bytes", got)
	}
	if quiet.Window.Requests != 0 || quiet.Window.ErrorRate != nil || quiet.Requests != 4 {
		t.Errorf("a second without traffic: got %+v, want no request in it, and no rate", quiet)
	}
}
