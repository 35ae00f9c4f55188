package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"aorta/internal/testkit"
	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/wire"
)

// fakeNumbers are what the test says.
type fakeNumbers struct {
	mu     sync.Mutex // guards all below
	recent map[string]Recent
	points []SeriesPoint
	err    error
	asked  []SeriesQuery
}

func (f *fakeNumbers) Recent(context.Context, time.Time) (map[string]Recent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.recent, f.err
}

func (f *fakeNumbers) Series(_ context.Context, q SeriesQuery) ([]SeriesPoint, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, q)
	return f.points, f.err
}

func (f *fakeNumbers) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// newLiveRig is a rig whose API has live streams and numbers.
func newLiveRig(tb testing.TB) (*rig, *fakeNumbers) {
	tb.Helper()
	r, numbers := newRig(tb), &fakeNumbers{recent: map[string]Recent{}}
	cfg := r.inner.Config
	cfg.Numbers = numbers
	cfg.Live = NewHub(cfg)
	router := chi.NewRouter()
	r.api = Mount(router, cfg)
	server := httptest.NewServer(router)
	r.url = server.URL
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- cfg.Live.Run(ctx) }() // ended below
	tb.Cleanup(func() {
		stop()
		<-done
		server.CloseClientConnections()
		server.Close()
	})
	return r, numbers
}

// live opens a live stream.
func (r *rig) live(topics string) *feed {
	r.tb.Helper()
	f := r.open("/live?topics="+topics, "")
	r.tb.Cleanup(f.cut)
	return f
}

// await reads events until one of the name holds.
func await[T any](f *feed, name string, holds func(T) bool) T {
	f.tb.Helper()
	var last string
	for {
		e, ok := f.next()
		if !ok {
			f.tb.Fatalf("the stream ended before a %s that holds; the last was %s", name, last)
		}
		if e.name != name {
			continue
		}
		var v T
		must(f.tb, json.Unmarshal([]byte(e.data), &v))
		if holds(v) {
			return v
		}
		last = e.data
	}
}

func anything[T any](T) bool { return true }

// serve brings a release of an app to a node, where one instance runs.
func (r *rig) serve(app cluster.App, node cluster.Node) cluster.ID {
	r.tb.Helper()
	release, id := r.newRelease(app), cluster.NewID()
	must(r.tb, r.store.Assign(r.tb.Context(), []store.Assignment{{ID: id, App: app.ID, Release: release.ID, Type: "web", Node: node.ID, NeedsPort: true}}))
	r.report(node, cluster.InstanceStatus{ID: id, State: cluster.InstanceRunning})
	return id
}

func (r *rig) report(node cluster.Node, status cluster.InstanceStatus) {
	r.tb.Helper()
	_, _, err := r.store.ApplyReport(r.tb.Context(), node.ID, []cluster.InstanceStatus{status})
	must(r.tb, err)
}

func TestLive_TellsOfAllTopics(t *testing.T) {
	t.Parallel()
	r, numbers := newLiveRig(t)
	node, _ := r.newNode("n1", cluster.RoleHeart)
	app, err := r.pace.CreateApp(t.Context(), "shop", "admin")
	must(t, err)
	r.serve(app, node)
	p95 := 12.34
	numbers.set(func() {
		spark := make([]uint32, sparkSteps)
		numbers.recent[string(app.ID)] = Recent{Seconds: 10, Requests: 123, Errors: 1, P95: &p95, Spark: spark}
		numbers.recent[AllApps] = numbers.recent[string(app.ID)]
	})
	f := r.live("overview,apps,jobs,app:shop")

	first, _ := f.next()
	var hello wire.LiveHello
	must(t, json.Unmarshal([]byte(first.data), &hello))
	got := map[string]string{}
	for len(got) < 4 {
		e, _ := f.next()
		got[e.name] = e.data
	}

	if first.name != "hello" || hello.Epoch != 7 || hello.Cluster != string(r.pace.Cluster()) || !strings.HasPrefix(f.last, "7-") {
		t.Errorf("got %+v first and id %q, want a hello and ids of epoch 7", first, f.last)
	}
	for event, parts := range map[string][]string{
		"overview": {`"state":"ok","text":"The one app serves."`, `"requests_per_s":12.3,"error_ratio":0.0081,"p95_ms":12.3}`, `"apps":{"total":1,"serving":1,"stopped":0}`, `"name":"n1"`, `"attention":[]`},
		"apps":     {`{"all":true,"rows":[{"name":"shop","state":"serving","release":"v1","url":"http://shop.test.local","running":1,"wanted":1,"requests_per_s":12.3`, `"spark":[0,0,`, `"operation":null}],"gone":[]}`},
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
	r, _ := newLiveRig(t)
	node, _ := r.newNode("n1", cluster.RoleHeart)
	app, err := r.pace.CreateApp(t.Context(), "shop", "admin")
	must(t, err)
	f := r.live("overview,apps,app:shop")
	state := func(want string) func(wire.LiveRows[wire.LiveApp]) bool {
		return func(e wire.LiveRows[wire.LiveApp]) bool { return len(e.Rows) == 1 && e.Rows[0].State == want }
	}

	all := await(f, "apps", state("empty"))
	id := r.serve(app, node)
	diff := await(f, "apps", state("serving"))
	r.report(node, cluster.InstanceStatus{ID: id, State: cluster.InstanceRunning, Crashing: true})
	bad := await(f, "overview", func(o wire.LiveOverview) bool { return o.State == "bad" })
	must(t, r.store.DeleteApp(t.Context(), app.ID))
	gone := await(f, "gone", anything[wire.LiveGone])
	left := await(f, "apps", func(e wire.LiveRows[wire.LiveApp]) bool { return len(e.Gone) > 0 })

	if !all.All || diff.All || left.All || left.Gone[0] != "shop" || gone.App != "shop" {
		t.Errorf("got %t, %t, %+v, %+v; want the whole, a difference, shop gone", all.All, diff.All, left, gone)
	}
	if len(bad.Attention) != 1 || bad.Attention[0].Kind != "app" || bad.Attention[0].App != "shop" || time.Since(bad.Since) > time.Minute {
		t.Errorf("got %+v, want shop named since just now", bad)
	}
}

func TestLive_SaysWhatItDoesNotKnow(t *testing.T) {
	t.Parallel() // it waits more than it works
	r, numbers := newLiveRig(t)
	_, err := r.pace.CreateApp(t.Context(), "shop", "admin")
	must(t, err)
	f := r.live("overview,apps")
	await(f, "overview", func(o wire.LiveOverview) bool { return o.State == "ok" && !o.Rates.Stale })

	numbers.set(func() { numbers.err = errors.New("away") })
	row := await(f, "apps", func(e wire.LiveRows[wire.LiveApp]) bool { return e.Rows[0].Stale })
	stale := await(f, "overview", func(o wire.LiveOverview) bool { return o.Rates.Stale })
	numbers.set(func() { numbers.err = nil })
	await(f, "overview", func(o wire.LiveOverview) bool { return o.State == "ok" && !o.Rates.Stale })
	must(t, r.store.Close())
	blind := await(f, "overview", func(o wire.LiveOverview) bool { return o.Stale })

	if stale.State != "bad" || stale.Attention[0].Kind != "redis" || stale.Rates.Requests != nil || row.Rows[0].Spark != nil {
		t.Errorf("got %+v, %+v; want the statistics named and no numbers", stale, row)
	}
	if blind.State != "bad" || blind.Apps.Total != 1 || len(blind.Attention) != 1 || blind.Attention[0].Kind != "sql" {
		t.Errorf("got %+v, want the database named and what was seen last", blind)
	}
}

func TestLive_ComesBackWithEverything(t *testing.T) {
	t.Parallel()
	r, _ := newLiveRig(t)
	_, err := r.pace.CreateApp(t.Context(), "shop", "admin")
	must(t, err)
	first := r.live("apps,jobs")
	await(first, "apps", anything[wire.LiveRows[wire.LiveApp]])
	first.cut()

	again := r.open("/live?topics=apps,jobs", first.last)
	defer again.cut()
	apps := await(again, "apps", anything[wire.LiveRows[wire.LiveApp]])

	if !apps.All || len(apps.Rows) != 1 {
		t.Errorf("got %+v, want all rows again", apps)
	}
}

func TestLive_BeatsWhileNothingHappens(t *testing.T) {
	t.Parallel() // it waits more than it works
	r, _ := newLiveRig(t)
	f := r.live("jobs")
	began := time.Now()

	beats := 0
	for beats < 2 && f.lines.Scan() {
		if strings.HasPrefix(f.lines.Text(), ":") {
			beats++
		}
	}

	if took := time.Since(began); beats != 2 || took > 3*liveBeat {
		t.Errorf("got %d beats in %s, want 2 in about %s", beats, took, 2*liveBeat)
	}
}

func TestShownOperations_KeepsOpenOnesAndTheNewestEnded(t *testing.T) {
	t.Parallel()
	var open, newest []cluster.Operation
	for i := range 120 {
		op := cluster.Operation{ID: cluster.ID(string(rune('a'+i/26)) + string(rune('a'+i%26))), State: cluster.OperationSucceeded}
		if i%2 == 0 {
			op.State = cluster.OperationOpen
			open = append(open, op)
		}
		newest = append([]cluster.Operation{op}, newest...)
	}
	newest[1].State = cluster.OperationFailed // it has ended since the open ones were read
	forgotten := cluster.Operation{ID: "Z", State: cluster.OperationFailed}

	shown := shownOperations(open, newest, []cluster.Operation{newest[1], forgotten})

	ids := map[cluster.ID]int{}
	for _, op := range shown {
		ids[op.ID]++
	}
	sorted := slices.IsSortedFunc(shown, func(a, b cluster.Operation) int { return strings.Compare(string(b.ID), string(a.ID)) })
	if len(shown) != endedShown+len(open) || len(ids) != len(shown) || !sorted || ids["Z"] != 1 {
		t.Errorf("got %d with %d ids, sorted %t; want %d with the one that needs attention, each once, the newest first", len(shown), len(ids), sorted, endedShown+len(open))
	}
}

func TestMemory_KnowsSinceWhen(t *testing.T) {
	t.Parallel()
	m := newMemory()
	at := func(s int) time.Time { return time.Unix(int64(s), 0).UTC() }
	guess := func(pacemaker.Concern) (time.Time, bool) { return at(50), true }
	none := func(pacemaker.Concern) (time.Time, bool) { return time.Time{}, false }
	shop := pacemaker.Concern{Word: pacemaker.WordBad, Kind: "app", App: "shop"}
	node := pacemaker.Concern{Word: pacemaker.WordWarn, Kind: "node", ID: "n", Since: at(30)}

	var got []time.Time
	look := func(word pacemaker.Word, now int, guess func(pacemaker.Concern) (time.Time, bool), concerns ...pacemaker.Concern) {
		times := m.times(concerns, at(now), guess)
		got = append(append(got, times...), m.since(word, concerns, times, at(1), at(now)))
	}
	look(pacemaker.WordOK, 100, none)               // since the last change
	look(pacemaker.WordBad, 101, none, shop, node)  // seen now; as written down
	look(pacemaker.WordBad, 105, guess, shop, node) // as remembered
	look(pacemaker.WordOK, 106, none)               // seen now
	look(pacemaker.WordBad, 107, guess, shop)       // guessed
	look(pacemaker.WordOK, 200, none)               // forgotten: since the last change

	want := []time.Time{at(1), at(101), at(30), at(101), at(101), at(30), at(101), at(106), at(50), at(50), at(1)}
	if !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLive_EndsWithTheHub(t *testing.T) {
	t.Parallel()
	r, _ := newLiveRig(t)
	ctx, stop := context.WithCancel(t.Context())
	cfg := r.inner.Config
	cfg.Numbers = &fakeNumbers{}
	cfg.Live = NewHub(cfg)
	done := make(chan error, 1)
	go func() { done <- cfg.Live.Run(ctx) }() // ended below
	router := chi.NewRouter()
	Mount(router, cfg)
	server := httptest.NewServer(router)
	defer server.Close()
	r.url = server.URL
	f := r.live("jobs")
	await(f, "jobs", anything[wire.LiveRows[wire.Job]])

	stop()

	testkit.Eventually(t, 5*time.Second, "the stream to end", func() bool {
		_, more := f.next()
		return !more
	})
	if err := <-done; err != nil {
		t.Errorf("got %v, want nil", err)
	}
}
