package routing

import (
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/internal/rig"
	"aorta/router"
)

func TestRouters_AllAcked(t *testing.T) {
	t.Parallel()
	const wanted = 5
	for name, c := range map[string]struct {
		roles  []cluster.Role
		report *cluster.RouterReport
		later  time.Duration // since the report, or since the start
		done   bool
		gaveUp bool
	}{
		"no router":                  {[]cluster.Role{cluster.RoleHeart}, nil, 0, true, false},
		"not heard yet":              {[]cluster.Role{cluster.RoleRouter}, nil, 4 * time.Second, false, false},
		"never heard":                {[]cluster.Role{cluster.RoleRouter}, nil, 5 * time.Second, true, true},
		"an older one":               {[]cluster.Role{cluster.RoleRouter}, &cluster.RouterReport{Epoch: rig.Epoch, Generation: wanted - 1}, 4 * time.Second, false, false},
		"an older one, then silence": {[]cluster.Role{cluster.RoleRouter}, &cluster.RouterReport{Epoch: rig.Epoch, Generation: wanted - 1}, 5 * time.Second, true, true},
		"of an older epoch":          {[]cluster.Role{cluster.RoleRouter}, &cluster.RouterReport{Epoch: rig.Epoch - 1, Generation: wanted + 9}, 0, false, false},
		"this one":                   {[]cluster.Role{cluster.RoleRouter}, &cluster.RouterReport{Epoch: rig.Epoch, Generation: wanted}, 0, true, false},
		"this one, then silence":     {[]cluster.Role{cluster.RoleRouter}, &cluster.RouterReport{Epoch: rig.Epoch, Generation: wanted}, time.Hour, true, false},
		"a later one":                {[]cluster.Role{cluster.RoleHeart, cluster.RoleRouter}, &cluster.RouterReport{Epoch: rig.Epoch, Generation: wanted + 1}, 0, true, false},
	} {
		r := newRig(t)
		n := r.Node("n1", c.roles...)
		if c.report != nil {
			testkit.Must(t, r.routers.Reported(n, *c.report))
		}
		r.Clock.Forward(c.later)

		done, gaveUp := r.routers.allAcked([]cluster.Node{n}, router.Pair{Epoch: rig.Epoch, Generation: wanted})

		if done != c.done || (len(gaveUp) == 1) != c.gaveUp {
			t.Errorf("%s: got done %t, gave up on %v; want %t, %t", name, done, gaveUp, c.done, c.gaveUp)
		}
	}
}

func TestRouters_AHigherEpochIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.Node("n1", cluster.RoleRouter)

	err := r.routers.Reported(n, cluster.RouterReport{Epoch: rig.Epoch + 1})

	if cluster.CodeOf(err) != cluster.CodeUnavailable || !strings.Contains(err.Error(), "restart aortad") {
		t.Errorf("got %v, want what to do about it", err)
	}
	if r.routers.Generation(n.ID) != 0 {
		t.Error("got it counted as an ack, want not")
	}
}

func TestRouters_AwaitAcksReportsWhomItDoesNotWaitFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Node("n1", cluster.RoleRouter)
	r.Clock.Forward(time.Minute)
	var reported []string

	err := r.routers.AwaitAcks(t.Context(), router.Pair{Epoch: rig.Epoch, Generation: 1}, func(s string) { reported = append(reported, s) })

	if err != nil || len(reported) != 1 || !strings.Contains(reported[0], "n1") {
		t.Errorf("got %v, %q, want it to go on and name n1", err, reported)
	}
}

func TestRouters_InflightCountsLiveOnesOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.Node("n1", cluster.RoleRouter), r.Node("n2", cluster.RoleRouter)
	id := cluster.NewID()
	testkit.Must(t, r.routers.Reported(one, cluster.RouterReport{Inflight: map[cluster.ID]int64{id: 3}}))
	r.Clock.Forward(4 * time.Second)
	testkit.Must(t, r.routers.Reported(two, cluster.RouterReport{Inflight: map[cluster.ID]int64{id: 2}}))
	nodes := []cluster.Node{one, two}

	both := r.routers.Inflight(id, nodes)
	r.Clock.Forward(time.Second)
	left := r.routers.Inflight(id, nodes)

	if both != 5 || left != 2 {
		t.Errorf("got %d, then %d once one was silent; want 5, then 2", both, left)
	}
}

// A worker that never takes the table holds up no change for ever, and what it
// still names is not stopped.
func TestRouters_AwaitAcksGivesUpOnWhoKeepsAnOlderTable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cfg := r.publisher.cfg
	cfg.Silence = 24 * time.Hour
	routers := NewRouters(cfg)
	n := r.Node("n1", cluster.RoleRouter)
	testkit.Must(t, routers.Reported(n, cluster.RouterReport{Epoch: rig.Epoch, Generation: 3, Slowest: 4711}))
	reported, ended := make(chan string, 1), make(chan error, 1)

	go func() {
		ended <- routers.AwaitAcks(t.Context(), router.Pair{Epoch: rig.Epoch, Generation: 5}, func(s string) { reported <- s })
	}()
	testkit.Eventually(t, "the wait to end", func() bool {
		r.Clock.Forward(patience)
		cfg.Changed.Notify()
		return len(ended) == 1
	})

	if err := <-ended; err != nil {
		t.Errorf("got %v, want it to go on", err)
	}
	if text := <-reported; !strings.Contains(text, "n1 (worker 4711 answers by generation 7.3, not by 7.5)") {
		t.Errorf("got %q, want the router, its worker and what that has", text)
	}
	if done, _ := routers.allAcked([]cluster.Node{n}, router.Pair{Epoch: rig.Epoch, Generation: 5}); done {
		t.Error("got the table acknowledged, want instances that it lacks to wait")
	}
}

func TestPublisher_SaysWhichRouterIsBehind(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.Node("n1", cluster.RoleRouter)
	r.Deploy(r.App("shop"))
	testkit.Must(t, r.turn())
	old := cluster.RouterReport{Epoch: rig.Epoch, Slowest: 4711}

	testkit.Must(t, r.routers.Reported(n, old))
	soon := r.publisher.Behind(n)
	r.Clock.Forward(patience)
	silent := r.publisher.Behind(n)
	testkit.Must(t, r.routers.Reported(n, old))
	late := r.publisher.Behind(n)
	testkit.Must(t, r.routers.Reported(n, cluster.RouterReport{Epoch: rig.Epoch, Generation: r.publisher.Pair().Generation}))
	there := r.publisher.Behind(n)

	if soon != "" || silent != "" || there != "" || !strings.Contains(late, "worker 4711 answers by generation 7.0") {
		t.Errorf("got %q soon, %q while silent, %q late, %q once it is there; want the worker late alone", soon, silent, late, there)
	}
}
