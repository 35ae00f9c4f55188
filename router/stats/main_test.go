package stats

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"aorta/internal/testkit"
)

const (
	appA     = "0192d3a0-0000-7000-8000-00000000000a"
	release1 = "0192d3a0-0000-7000-8000-000000000001"
	release2 = "0192d3a0-0000-7000-8000-000000000002"
	router1  = "0192d3a0-0000-7000-8000-0000000000f1"
	router2  = "0192d3a0-0000-7000-8000-0000000000f2"
	node1    = "0192d3a0-0000-7000-8000-0000000000e1"
	inst1    = "0192d3a0-0000-7000-8000-0000000000c1"
	inst2    = "0192d3a0-0000-7000-8000-0000000000c2"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a store on a real server, and tailers that know their positions.
type rig struct {
	testing.TB
	server *testkit.RedisServer
	rdb    *redis.Client
	store  *Store
	taker  *Taker
	at     map[string]Position // by shard and router
}

func newRig(tb testing.TB, extra ...string) *rig {
	server := testkit.Redis(tb, extra...)
	rdb := server.Client(tb)
	store := NewStore(rdb)
	return &rig{tb, server, rdb, store, NewTaker(store, TakerConfig{Routers: bothRouters}), map[string]Position{}}
}

func bothRouters(context.Context) ([]string, error) { return []string{router1, router2}, nil }

// take counts all that is committed.
func (r *rig) take() {
	r.Helper()
	for {
		if err := r.taker.Take(r.Context(), time.Now()); err != nil {
			r.Fatalf("take: got %v, want none", err)
		}
		if len(r.rdb.Keys(r.Context(), "*:in:*").Val()) == 0 {
			return
		}
	}
}

// commit counts hits of one shard as the router's next lines.
func (r *rig) commit(router string, hits ...Hit) {
	r.Helper()
	b := NewBatch()
	for i := range hits {
		b.Add(&hits[i])
	}
	r.commitBatch(router, ShardOf(hits[0].App), b)
}

func (r *rig) commitBatch(router string, shard int, b *Batch) {
	r.Helper()
	key := posKey(shard, router)
	from := r.at[key]
	to := Position{"log": from["log"] + 1}
	if err := r.store.Commit(r.Context(), shard, router, from, to, b); err != nil {
		r.Fatalf("commit: got %v, want none", err)
	}
	r.at[key] = to
	r.take()
}

func (r *rig) roll(now time.Time) {
	r.Helper()
	if err := r.store.rollAll(r.Context(), now); err != nil {
		r.Fatalf("roll: got %v, want none", err)
	}
}

func (r *rig) window(q Query) Counters {
	r.Helper()
	c, err := r.store.Window(r.Context(), q)
	if err != nil {
		r.Fatalf("window %+v: got %v, want none", q, err)
	}
	return c
}

// hit is an ordinary request.
func hit(at time.Time) Hit {
	return Hit{
		Time: at, App: appA, Release: release1, Type: "web", Instance: inst1, Node: node1,
		Status: 200, Bytes: 1000, Seconds: 0.012, Attempts: 1,
	}
}

// steady are requests of one second with latencies as real ones are spread.
func steady(b *Batch, h Hit, n int, random *rand.Rand) {
	for range n {
		h.Seconds = math.Exp(random.NormFloat64()*0.5 - 3.5)
		h.Bytes = 500 + random.Int64N(20000)
		h.Status = 200
		if random.IntN(50) == 0 {
			h.Status = []int{302, 404, 500}[random.IntN(3)]
		}
		b.Add(&h)
	}
}

// everything is the whole server's content, to see that nothing changed.
func (r *rig) everything() string {
	r.Helper()
	keys, err := r.rdb.Keys(r.Context(), "*").Result()
	if err != nil {
		r.Fatalf("list keys: %v", err)
	}
	all := map[string]string{}
	for _, key := range keys {
		if all[key], err = r.rdb.Dump(r.Context(), key).Result(); err != nil {
			r.Fatalf("dump %s: %v", key, err)
		}
	}
	return fmt.Sprintf("%q", all)
}
