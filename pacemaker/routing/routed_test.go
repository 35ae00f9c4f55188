package routing

import (
	"errors"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// ack lets a router answer by the pair that is published.
func (r *fixture) ack(n cluster.Node) {
	r.TB.Helper()
	pair := r.publisher.Pair()
	testkit.Must(r.TB, r.routers.Reported(n, cluster.RouterReport{Epoch: pair.Epoch, Generation: pair.Generation}))
}

func TestRouted_HoldsUntilEveryRouterHasSeenItGo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	release := r.Deploy(shop)
	one, two := r.Node("n1", cluster.RoleHeart, cluster.RoleRouter), r.Node("n2", cluster.RoleRouter)
	nodes := []cluster.Node{one, two}
	id, stranger := r.Instance(release, "web", one), cluster.NewID()
	expect := func(step string, want, wantStranger bool) {
		t.Helper()
		if got, other := r.publisher.Routed(id, nodes), r.publisher.Routed(stranger, nodes); got != want || other != wantStranger {
			t.Errorf("%s: got routed %t, a stranger %t; want %t, %t", step, got, other, want, wantStranger)
		}
	}

	expect("at first nothing is known", true, true)
	testkit.Must(t, r.turn())
	expect("published, not acked", true, true)
	r.ack(one)
	expect("one of two acked", true, true)
	r.ack(two)
	expect("all acked", true, false)
	testkit.Must(t, r.Store.Promote(t.Context(), store.Promotion{App: shop.ID, Drain: []cluster.ID{id}}))
	expect("drains, still published", true, false)
	testkit.Must(t, r.turn())
	expect("taken out, not acked", true, false)
	r.ack(one)
	expect("one of two has seen it", true, false)
	r.ack(two)
	expect("all have seen it", false, false)
}

func TestRouted_AFailedPublishMayHaveArrived(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	release := r.Deploy(shop)
	n := r.Node("n1", cluster.RoleHeart, cluster.RoleRouter)
	testkit.Must(t, r.turn())
	r.ack(n)
	id := r.Instance(release, "web", n)
	before := r.publisher.Routed(id, []cluster.Node{n})
	r.Table.Err = errors.New("i/o timeout")
	_ = r.turn()

	got := r.publisher.Routed(id, []cluster.Node{n})

	if before || !got {
		t.Errorf("got routed %t before and %t after the lost answer, want false, then true", before, got)
	}
}

func TestRouted_ASilentRouterHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.Deploy(r.App("shop"))
	n := r.Node("n1", cluster.RoleHeart, cluster.RoleRouter)
	id := r.Instance(release, "web", n)
	testkit.Must(t, r.turn())
	testkit.Must(t, r.Store.Promote(t.Context(), store.Promotion{App: release.AppID, Drain: []cluster.ID{id}}))
	testkit.Must(t, r.turn())
	early := r.publisher.Routed(id, []cluster.Node{n})

	r.Clock.Forward(5 * time.Second)

	if late := r.publisher.Routed(id, []cluster.Node{n}); !early || late {
		t.Errorf("got routed %t, and %t once the router was silent for its limit; want true, then false", early, late)
	}
}

func TestAge_IsThatOfTheOldestTableThatARouterLacks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	release := r.Deploy(shop)
	n := r.Node("n1", cluster.RoleHeart, cluster.RoleRouter)
	want := func(step string, want time.Duration) {
		t.Helper()
		if got := r.publisher.Age(n); got != want {
			t.Errorf("%s: got %s, want %s", step, got, want)
		}
	}

	testkit.Must(t, r.turn())
	r.Clock.Forward(time.Minute)
	want("nothing acked", time.Minute)
	r.ack(n)
	want("acked", 0)
	r.Instance(release, "web", n)
	testkit.Must(t, r.turn())
	r.Clock.Forward(time.Second)
	want("the next one is not", time.Second)
	r.ack(n)
	want("it is", 0)
}
