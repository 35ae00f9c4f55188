package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/internal/rig"
	"aorta/web/live"
	"aorta/web/wire"
)

func TestLive_TellsOfAllTopics(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	numbers := r.Numbers
	node, _ := r.NewNode("n1", cluster.RoleHeart)
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	r.Serve(app, node)
	p95 := 12.34
	numbers.Set(func() {
		spark := make([]uint32, live.SparkSteps)
		numbers.Recents[string(app.ID)] = live.Recent{Seconds: 10, Requests: 123, Errors: 1, P95: &p95, Spark: spark}
		numbers.Recents[live.AllApps] = numbers.Recents[string(app.ID)]
	})
	f := r.Live("overview,apps,jobs,app:shop")

	first, _ := f.Next()
	var hello wire.LiveHello
	testkit.Must(t, json.Unmarshal([]byte(first.Data), &hello))
	got := map[string]string{}
	for len(got) < 4 {
		e, _ := f.Next()
		got[e.Name] = e.Data
	}

	if first.Name != "hello" || hello.Epoch != 7 || hello.Cluster != string(r.Pace.Cluster()) || !strings.HasPrefix(f.Last, "7-") {
		t.Errorf("got %+v first and id %q, want a hello and ids of epoch 7", first, f.Last)
	}
	for event, parts := range map[string][]string{
		"overview": {`"state":"ok","text":"The one app is running."`, `"requests_per_s":12.3,"error_ratio":0.0081,"p95_ms":12.3}`, `"apps":{"total":1,"serving":1,"stopped":0}`, `"name":"n1"`, `"attention":[]`},
		"apps":     {`{"all":true,"rows":[{"name":"shop","state":"serving","severity":"ok","verdict":"serving","release":"v1","url":"http://shop.test.local","running":1,"wanted":1,"requests_per_s":12.3`, `"spark":[0,0,`, `"operation":null}],"gone":[]}`},
		"jobs":     {`"all":true`, `"kind":"deploy"`, `"state":"succeeded"`},
		"app":      {`"app":{"id":"` + string(app.ID), `"instances":[{"id":`, `"formation":[{"type":"web"`, `"releases":[{"release":"v1"`, `"domains":[{"host":"shop.test.local"`, `"state":"serving"`},
	} {
		for _, part := range parts {
			if !strings.Contains(got[event], part) {
				t.Errorf("%s: got %s, want it to hold %s", event, got[event], part)
			}
		}
	}
}

func TestLive_FollowsAnAppToItsEnd(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := rig.New(t)
	node, _ := r.NewNode("n1", cluster.RoleHeart)
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	f := r.Live("overview,apps,app:shop")
	state := func(want string) func(wire.LiveRows[wire.LiveApp]) bool {
		return func(e wire.LiveRows[wire.LiveApp]) bool { return len(e.Rows) == 1 && e.Rows[0].State == want }
	}

	began := time.Now().Truncate(time.Second)
	all := rig.Await(f, "apps", state("empty"))
	id := r.Serve(app, node)
	diff := rig.Await(f, "apps", state("serving"))
	r.Report(node, cluster.InstanceStatus{ID: id, State: cluster.InstanceRunning, Crashing: true})
	bad := rig.Await(f, "overview", func(o wire.LiveOverview) bool { return o.State == "bad" })
	testkit.Must(t, r.Store.DeleteApp(t.Context(), app.ID))
	gone := rig.Await(f, "gone", rig.Anything[wire.LiveGone])
	left := rig.Await(f, "apps", func(e wire.LiveRows[wire.LiveApp]) bool { return len(e.Gone) > 0 })

	if !all.All || diff.All || left.All || left.Gone[0] != "shop" || gone.App != "shop" {
		t.Errorf("got %t, %t, %+v, %+v; want the whole, a difference, shop gone", all.All, diff.All, left, gone)
	}
	if len(bad.Attention) != 1 || bad.Attention[0].Kind != "app" || bad.Attention[0].App != "shop" || bad.Since == nil || bad.Since.Before(began) {
		t.Errorf("got %+v, want shop named since just now", bad)
	}
}

func TestLive_SaysWhatItDoesNotKnow(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := rig.New(t)
	numbers := r.Numbers
	_, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	f := r.Live("overview,apps")
	rig.Await(f, "overview", func(o wire.LiveOverview) bool { return o.State == "ok" && !o.Rates.Stale })

	numbers.Set(func() { numbers.Err = errors.New("away") })
	row := rig.Await(f, "apps", func(e wire.LiveRows[wire.LiveApp]) bool { return e.Rows[0].Stale })
	stale := rig.Await(f, "overview", func(o wire.LiveOverview) bool { return o.Rates.Stale })
	numbers.Set(func() { numbers.Err = nil })
	rig.Await(f, "overview", func(o wire.LiveOverview) bool { return o.State == "ok" && !o.Rates.Stale })
	testkit.Must(t, r.Store.Close())
	blind := rig.Await(f, "overview", func(o wire.LiveOverview) bool { return o.Stale })

	// One slow reading is no trouble of the cluster; a Redis that is away is named by
	// its own node.
	if stale.State != "ok" || len(stale.Attention) != 0 || stale.Rates.Requests != nil || row.Rows[0].Spark != nil {
		t.Errorf("got %+v, %+v; want no numbers, and all else as it was", stale, row)
	}
	if blind.State != "bad" || blind.Apps.Total != 1 || len(blind.Attention) != 1 || blind.Attention[0].Kind != "sql" {
		t.Errorf("got %+v, want the database named and what was seen last", blind)
	}
}

func TestLive_ComesBackWithEverything(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	_, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	first := r.Live("apps,jobs")
	rig.Await(first, "apps", rig.Anything[wire.LiveRows[wire.LiveApp]])
	first.Cut()

	again := r.Open("/live?topics=apps,jobs", first.Last)
	defer again.Cut()
	apps := rig.Await(again, "apps", rig.Anything[wire.LiveRows[wire.LiveApp]])

	if !apps.All || len(apps.Rows) != 1 {
		t.Errorf("got %+v, want all rows again", apps)
	}
}

func TestLive_BeatsWhileNothingHappens(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := rig.New(t)
	f := r.Live("jobs")
	beats := 0
	for beats < 2 && f.Lines.Scan() {
		if strings.HasPrefix(f.Lines.Text(), ":") {
			beats++
		}
	}

	if beats != 2 {
		t.Errorf("got %d beats until the stream ended, want them to go on", beats)
	}
}

func TestLive_EndsWithTheHub(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	ctx, stop := context.WithCancel(t.Context())
	streams := live.New(r.LiveConfig())
	done := make(chan error, 1)
	go func() { done <- streams.Run(ctx) }() // ended below
	router := chi.NewRouter()
	r.Mount(router, streams)
	server := httptest.NewServer(router)
	defer server.Close()
	r.URL = server.URL
	f := r.Live("jobs")
	rig.Await(f, "jobs", rig.Anything[wire.LiveRows[wire.Job]])

	stop()

	testkit.Eventually(t, "the stream to end", func() bool {
		_, more := f.Next()
		return !more
	})
	if err := <-done; err != nil {
		t.Errorf("got %v, want nil", err)
	}
}
