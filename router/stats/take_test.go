package stats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
)

// thereIs is a cluster's names, by app.
type thereIs map[string][]string

func (t thereIs) Apps(context.Context) ([]string, error) {
	var apps []string
	for app := range t {
		apps = append(apps, app)
	}
	return apps, nil
}

func (t thereIs) Of(_ context.Context, app string) ([]string, error) { return t[app], nil }

// onlyA is a cluster with one app.
var onlyA = thereIs{appA: {release1, "web", inst1, node1}}

// only has the rig's taker know those names.
func (r *rig) only(names Names, change ...func(*TakerConfig)) {
	cfg := TakerConfig{Routers: bothRouters, Names: names}
	for _, c := range change {
		c(&cfg)
	}
	r.taker = NewTaker(r.store, cfg)
}

// send commits hits of one shard, and leaves them in the inbox.
func (r *rig) send(store *Store, router string, hits ...Hit) error {
	r.Helper()
	b := NewBatch()
	for i := range hits {
		b.Add(&hits[i])
	}
	key := posKey(ShardOf(hits[0].App), router)
	to := Position{"log": r.at[key]["log"] + 1}
	err := store.Commit(r.Context(), ShardOf(hits[0].App), router, r.at[key], to, b)
	if err == nil {
		r.at[key] = to
	}
	return err
}

// requests are how many of the app were counted.
func (r *rig) requests(app string) uint64 {
	r.Helper()
	total, err := r.store.Totals(r.Context(), app)
	if err != nil {
		r.Fatalf("totals: got %v, want none", err)
	}
	return total.Requests
}

func TestTaker_CountsForOthersWhileARouterInventsApps(t *testing.T) {
	r := newRig(t)
	r.only(onlyA)
	attacker := NewStore(r.tailer())
	const invented, honest = 100_000, 50

	made := map[int][]Hit{}
	for i := range invented {
		h := hit(time.Now())
		h.App = fmt.Sprint("made-up-", i)
		made[ShardOf(h.App)] = append(made[ShardOf(h.App)], h)
	}
	counted := uint64(0)
	for _, hits := range made {
		for ; len(hits) > 0; hits = hits[min(len(hits), MaxSize):] {
			testkit.Must(t, r.send(attacker, router1, hits[:min(len(hits), MaxSize)]...))
			testkit.Must(t, r.send(r.store, router2, hit(time.Now())))
			counted++
			r.take()
		}
	}

	if got := r.requests(appA); got != counted {
		t.Errorf("the app: got %d requests, want the %d of the other router", got, counted)
	}
	if keys := r.rdb.Keys(t.Context(), "*made-up*").Val(); len(keys) > 0 {
		t.Errorf("got %d keys of made-up apps, want none: %.200q", len(keys), keys)
	}
	for shard := range Shards {
		if apps := r.rdb.ZCard(t.Context(), appsKey(shard)).Val(); apps > 1 {
			t.Errorf("shard %d: got %d apps, want no made-up one", shard, apps)
		}
	}
}

func TestTaker_ShutsOutWhoIsBeyondItsShare(t *testing.T) {
	for name, key := range map[string]string{"inbox": inboxKey(3, router1), "position": posKey(3, router1)} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			var shut []string
			r.only(onlyA, func(c *TakerConfig) {
				c.Shut = func(_ context.Context, routers []string) error {
					shut = append(shut, fmt.Sprint(routers))
					return nil
				}
			})
			testkit.Must(t, r.send(r.store, router2, hit(time.Now())))
			testkit.Must(t, r.tailer().Do(t.Context(), map[string]string{"inbox": "APPEND", "position": "SET"}[name], key, strings.Repeat("x", routerShare+1)).Err())
			now := time.Now()

			testkit.Must(t, r.taker.Take(t.Context(), now))

			if got := r.taker.Shut(); len(got) != 1 || got[0] != router1 {
				t.Errorf("shut out: got %q, want the router that did it", got)
			}
			if got := r.requests(appA); got != 1 || r.rdb.Exists(t.Context(), key).Val() != 0 {
				t.Errorf("got %d requests of the other router, want 1, and nothing left of the first", got)
			}
			testkit.Must(t, r.taker.Take(t.Context(), now.Add(shutFor+time.Second)))
			if want := []string{"[" + router1 + "]", "[]"}; cmp.Diff(want, shut) != "" || len(r.taker.Shut()) != 0 {
				t.Errorf("shut out: got %q, want %q, and nobody in the end", shut, want)
			}
		})
	}
}

func TestTaker_FreesAServerThatOneRouterFilled(t *testing.T) {
	r := newRig(t)
	r.only(onlyA)
	attacker := r.tailer()
	testkit.Must(t, r.send(r.store, router2, hit(time.Now())))
	for n := range 60 {
		testkit.Must(t, attacker.Append(t.Context(), inboxKey(n%Shards, router1), strings.Repeat("x", 1<<20)).Err())
	}
	testkit.Must(t, r.rdb.ConfigSet(t.Context(), "maxmemory", "40mb").Err())
	if err := r.send(r.store, router2, hit(time.Now())); err == nil {
		t.Fatal("the server takes what another router counted: it is not full")
	}

	testkit.Must(t, r.taker.Take(t.Context(), time.Now()))

	testkit.Must(t, r.send(r.store, router2, hit(time.Now())))
	r.take()
	if got := r.requests(appA); got != 2 {
		t.Errorf("got %d requests of the other router, want 2", got)
	}
}

func TestTaker_CountsNothingUnderANameThatIsNotTheApps(t *testing.T) {
	r := newRig(t)
	r.only(onlyA)
	strange := hit(time.Now())
	strange.Release, strange.Type, strange.Instance, strange.Node, strange.Tried = "r?", "t?", "i?", "n?", []string{"j?"}
	late := hit(time.Now().Add(100 * 365 * 24 * time.Hour))
	testkit.Must(t, r.send(r.store, router1, strange, late, hit(time.Now())))

	r.take()

	if got := r.requests(appA); got != 3 {
		t.Errorf("got %d requests, want all 3", got)
	}
	if keys := r.rdb.Keys(t.Context(), "*[?]*").Val(); len(keys) > 0 {
		t.Errorf("got %q, want no key of a strange name", keys)
	}
	q := Query{App: appA, From: time.Now().Add(-time.Minute), To: time.Now().Add(2 * time.Second)}
	if got := r.window(q).Requests; got != 3 {
		t.Errorf("now: got %d requests, want that of the future too", got)
	}
}

func TestTaker_KnowsWhatIsNew(t *testing.T) {
	r := newRig(t)
	names := thereIs{}
	r.only(names)
	testkit.Must(t, r.send(r.store, router1, hit(time.Now())))
	r.take()
	names[appA] = nil
	testkit.Must(t, r.send(r.store, router1, hit(time.Now())))
	r.take()
	names[appA] = onlyA[appA]

	testkit.Must(t, r.send(r.store, router1, hit(time.Now())))
	r.take()

	total, err := r.store.ReleaseTotals(t.Context(), appA, release1)
	if got := r.requests(appA); got != 2 || err != nil || total.Requests != 1 {
		t.Errorf("got %d requests, of the release %d %v; want 2 and 1", got, total.Requests, err)
	}
}

func TestTaker_ShutsOutWhoWritesNonsense(t *testing.T) {
	for name, nonsense := range map[string]string{
		"no size": "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "too long": "\xff\xff\xff\x7f", "no counts": strings.Repeat("\x04\x01\x00\x00\x00", 1000),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.only(onlyA)
			testkit.Must(t, r.rdb.Append(t.Context(), inboxKey(ShardOf(appA), router1), nonsense).Err())
			testkit.Must(t, r.send(r.store, router2, hit(time.Now())))

			r.take()

			if got := r.taker.Shut(); len(got) != 1 || got[0] != router1 || r.requests(appA) != 1 {
				t.Errorf("got %q shut out and %d requests, want the one and 1", got, r.requests(appA))
			}
		})
	}
}

func TestTaker_TakesWhatARemovedRouterHasCounted(t *testing.T) {
	r := newRig(t)
	nobody := func(c *TakerConfig) {
		c.Routers = func(context.Context) ([]string, error) { return nil, nil }
	}
	r.only(onlyA, nobody)
	testkit.Must(t, r.send(r.store, router1, hit(time.Now())))

	r.take()

	if got := r.requests(appA); got != 1 {
		t.Errorf("got %d requests, want 1", got)
	}
}

func TestTakers_CountOnceTogether(t *testing.T) {
	r := newRig(t)
	var takers sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for range 2 {
		taker := NewTaker(r.store, TakerConfig{Routers: bothRouters})
		takers.Go(func() { // ends with ctx
			for ctx.Err() == nil {
				_ = taker.Take(ctx, time.Now())
			}
		})
	}

	for range 200 {
		testkit.Must(t, r.send(r.store, router1, hit(time.Now())))
	}
	stop()
	takers.Wait()
	r.take()

	if got := r.requests(appA); got != 200 {
		t.Errorf("got %d requests, want 200", got)
	}
}

func TestStore_CommitWaitsWhileNobodyTakes(t *testing.T) {
	r := newRig(t)
	testkit.Must(t, r.send(r.store, router1, hit(time.Now())))
	waiting := inboxKey(ShardOf(appA), router1)
	one := r.rdb.Get(t.Context(), waiting).Val()
	before := inboxSize / len(one)
	testkit.Must(t, r.rdb.Append(t.Context(), waiting, strings.Repeat(one, before-1)).Err())

	full := r.send(r.store, router1, hit(time.Now()))
	other := r.send(r.store, router2, hit(time.Now()))
	r.take()
	again := r.send(r.store, router1, hit(time.Now()))
	r.take()

	if !errors.Is(full, ErrFull) || other != nil || again != nil || r.requests(appA) != uint64(before+2) {
		t.Errorf("got %v, %v, %v and %d requests, want ErrFull for the first alone, and %d", full, other, again, r.requests(appA), before+2)
	}
}

func TestTaker_ForgetsAppsThatThereIsNot(t *testing.T) {
	r := newRig(t)
	other := hit(time.Now())
	other.App = "gone"
	r.commit(router1, other)
	r.commit(router1, hit(time.Now()))
	r.only(onlyA)
	now := time.Now()

	testkit.Must(t, r.taker.Take(t.Context(), now.Add(sweepEvery)))
	soon := r.requests("gone")
	testkit.Must(t, r.taker.Take(t.Context(), now.Add(2*sweepEvery+strangerTTL)))

	if late, a := r.requests("gone"), r.requests(appA); soon != 1 || late != 0 || a != 1 {
		t.Errorf("got %d soon and %d later, of the app that there is %d; want 1, 0 and 1", soon, late, a)
	}
}
