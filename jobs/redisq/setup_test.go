package redisq

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"aorta/internal/testkit"
	"aorta/jobs"
)

const (
	testTTL   = 300 * time.Millisecond // of hasty keepers; workers beat by it
	testBlock = 50 * time.Millisecond
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		runChild()
		return
	}
	if os.Getenv(crewEnv) != "" {
		runCrew()
		return
	}
	testkit.Parallel(6)
	goleak.VerifyTestMain(m)
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// connect makes a client with room for many blocked workers.
func connect(tb testing.TB, s *testkit.RedisServer) *redis.Client {
	tb.Helper()
	c := redis.NewClient(clientOptions(s.Socket))
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func clientOptions(socket string) *redis.Options {
	return testkit.Patient(&redis.Options{
		Network: "unix", Addr: socket, DisableIdentity: true, MaxRetries: -1,
		ContextTimeoutEnabled: true, PoolSize: 100, Protocol: 2,
	})
}

// start runs fn until the test ends, or until the returned function is called.
func start(tb testing.TB, fn func(context.Context) error) (stop func() error) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	var result error
	ended := false
	stop = func() error {
		cancel()
		if !ended {
			ended, result = true, <-done
		}
		return result
	}
	tb.Cleanup(func() { _ = stop() })
	return stop
}

// keeperOptions are those of a keeper that looks around often and takes no machine
// that stands still for a moment for a worker that died. What is to die has to lapse.
func keeperOptions(epoch int64) KeeperOptions {
	return KeeperOptions{
		Cluster: "c", Epoch: epoch, Owner: uuid.NewString(), LeaseTTL: testkit.Hang, Log: quiet(), block: testBlock, sweep: testBlock,
		DefaultPolicy: jobs.Policy{MaxAttempts: 3, BackoffBase: 10 * time.Millisecond},
	}
}

// hastyOptions are those of a keeper that may lose any lease on a slow machine: for
// what comes through that.
func hastyOptions(epoch int64) KeeperOptions {
	opt := keeperOptions(epoch)
	opt.LeaseTTL = testTTL
	return opt
}

// startKeeper runs a keeper whose ended trees arrive on the channel.
func startKeeper(tb testing.TB, rdb redis.UniversalClient, opt KeeperOptions) (*Keeper, chan *jobs.Tree, func() error) {
	tb.Helper()
	ends := make(chan *jobs.Tree, 10000)
	if opt.OnEnd == nil {
		opt.OnEnd = func(_ context.Context, t *jobs.Tree) error { ends <- t; return nil }
	}
	k := NewKeeper(rdb, opt)
	return k, ends, start(tb, k.Run)
}

// workerOptions are those of a worker that beats often.
func workerOptions(q jobs.Queue, handlers map[string]jobs.Handler) WorkerOptions {
	return WorkerOptions{
		Queue: q, ID: uuid.NewString(), Concurrency: 4, Handlers: handlers, LeaseTTL: testTTL, Log: quiet(), block: testBlock,
	}
}

func startWorker(tb testing.TB, rdb redis.UniversalClient, q jobs.Queue, handlers map[string]jobs.Handler) func() error {
	tb.Helper()
	return start(tb, NewWorker(rdb, workerOptions(q, handlers)).Run)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func spec(kind string, q jobs.Queue, children ...jobs.Spec) jobs.Spec {
	return jobs.Spec{ID: newID(), Kind: kind, Queue: q, Children: children}
}

func ok(context.Context, *jobs.Run) (any, error) { return nil, nil }

// untilCancelled waits for the end of its context and says why.
func untilCancelled(ctx context.Context, _ *jobs.Run) (any, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func add(tb testing.TB, k *Keeper, s jobs.Spec) {
	tb.Helper()
	if err := k.Add(testkit.Bounded(tb), s, "op"); err != nil {
		tb.Fatalf("Add: got %v, want nil", err)
	}
}

func awaitEnd(tb testing.TB, ends <-chan *jobs.Tree) *jobs.Tree {
	tb.Helper()
	return testkit.Receive(tb, "a tree to end", ends)
}

// awaitGone waits for the last step of a tree's deletion, the index entry.
func awaitGone(tb testing.TB, k *Keeper, id string) {
	tb.Helper()
	testkit.Eventually(tb, "tree "+id+" to be deleted", func() bool {
		listed := k.rdb.SIsMember(tb.Context(), keyTrees, id).Val()
		_, err := k.Tree(tb.Context(), id)
		return !listed && errors.Is(err, jobs.ErrNotFound)
	})
}

func wantState(tb testing.TB, t *jobs.Tree, want jobs.State) {
	tb.Helper()
	if t.State != want {
		tb.Fatalf("tree %s: got %s (%+v), want %s", t.ID, t.State, t.Stop, want)
	}
}

// watch follows the keeper's changes, from when Redis has confirmed both
// subscriptions on: each says so by a Resync.
func watch(tb testing.TB, k *Keeper) <-chan Event {
	tb.Helper()
	events := k.Watch(tb.Context())
	for range 2 {
		if e := <-events; !e.Resync {
			tb.Fatalf("the beginning of a watch: got %+v, want a Resync", e)
		}
	}
	return events
}

// awaitEvents reads events until each of what is wanted was among them.
func awaitEvents(tb testing.TB, events <-chan Event, wanted map[string]func(Event) bool) {
	tb.Helper()
	var seen []Event
	testkit.Eventually(tb, "events of "+fmt.Sprint(slices.Sorted(maps.Keys(wanted))), func() bool {
		for len(events) > 0 {
			seen = append(seen, <-events)
		}
		for _, is := range wanted {
			if !slices.ContainsFunc(seen, is) {
				return false
			}
		}
		return true
	})
}
