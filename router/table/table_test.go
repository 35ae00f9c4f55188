package table

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"aorta/internal/testkit"
	"aorta/router"
)

const (
	cluster = "0192d3a0-0000-7000-8000-0000000000c1"
	id      = "0192d3a0-0000-7000-8000-00000000000a"
)

func record(host string) router.Record {
	return router.Record{Host: host, App: id, AppName: "shop", Groups: []router.Group{{
		Release: id, ReleaseName: "v1", Weight: 1,
		Instances: []router.Instance{{ID: id, Type: "web", Node: id, NodeName: "one", Addr: "10.77.0.3:20017"}},
	}}}
}

func at(epoch, generation uint64) router.Pair {
	return router.Pair{Epoch: epoch, Generation: generation}
}

// claimed is a publisher that owns the table under epoch 1.
func claimed(t *testing.T) (*Publisher, *redis.Client) {
	t.Helper()
	rdb := testkit.Redis(t).Client(t)
	p := NewPublisher(rdb, cluster, "one")
	if err := p.Claim(t.Context(), 1); err != nil {
		t.Fatalf("Claim: %v", err)
	}
	return p, rdb
}

func publish(t *testing.T, p *Publisher, pair router.Pair, changed []router.Record, removed ...string) {
	t.Helper()
	if err := p.Publish(t.Context(), pair, changed, removed); err != nil {
		t.Fatalf("Publish %s: %v", pair, err)
	}
}

func TestPublisher_ClaimFencesLowerEpochsAndOthers(t *testing.T) {
	rdb := testkit.Redis(t).Client(t)
	one, two := NewPublisher(rdb, cluster, "one"), NewPublisher(rdb, cluster, "two")
	foreign := NewPublisher(rdb, "0192d3a0-0000-7000-8000-0000000000c2", "three")
	for i, step := range []struct {
		who   *Publisher
		epoch uint64
		want  error
	}{
		{one, 2, nil},
		{one, 2, nil},
		{two, 2, ErrFenced},
		{two, 1, ErrFenced},
		{foreign, 9, ErrForeign},
		{two, 3, nil},
		{one, 2, ErrFenced},
	} {
		if err := step.who.Claim(t.Context(), step.epoch); !errors.Is(err, step.want) {
			t.Errorf("claim %d with epoch %d: got %v, want %v", i, step.epoch, err, step.want)
		}
	}
}

func TestPublisher_PublishRefusesWhatIsNotItsTurn(t *testing.T) {
	p, rdb := claimed(t)
	publish(t, p, at(1, 5), []router.Record{record("a.b")})
	before := dump(t, rdb)
	foreign := NewPublisher(rdb, "0192d3a0-0000-7000-8000-0000000000c2", "one")

	for _, step := range []struct {
		who  *Publisher
		pair router.Pair
		want error
	}{
		{p, at(1, 5), ErrStale},
		{p, at(1, 4), ErrStale},
		{p, at(2, 1), ErrFenced},
		{NewPublisher(rdb, cluster, "two"), at(1, 6), ErrFenced},
		{foreign, at(1, 6), ErrForeign},
	} {
		err := step.who.Publish(t.Context(), step.pair, []router.Record{record("x.y")}, []string{"a.b"})

		if !errors.Is(err, step.want) {
			t.Errorf("publish %s: got %v, want %v", step.pair, err, step.want)
		}
	}
	if diff := cmp.Diff(before, dump(t, rdb)); diff != "" {
		t.Errorf("a refused publish changed something (-before +after):\n%s", diff)
	}
}

func TestPublisher_PublishWithoutClaim(t *testing.T) {
	p := NewPublisher(testkit.Redis(t).Client(t), cluster, "one")

	err := p.Publish(t.Context(), at(1, 1), nil, nil)

	if !errors.Is(err, ErrUnclaimed) {
		t.Errorf("got %v, want ErrUnclaimed", err)
	}
}

// dump is every key with its value.
func dump(t *testing.T, rdb *redis.Client) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, key := range rdb.Keys(t.Context(), "*").Val() {
		all[key] = rdb.Dump(t.Context(), key).Val()
	}
	return all
}

func TestPublisher_WritesTheWholeState(t *testing.T) {
	p, rdb := claimed(t)
	sub := rdb.Subscribe(t.Context(), ChangedChannel)
	defer sub.Close()
	if _, err := sub.Receive(t.Context()); err != nil {
		t.Fatalf("subscribe: %v", err)
	}

	publish(t, p, at(1, 1), []router.Record{record("a.b"), record("c.d")})
	publish(t, p, at(1, 2), nil, "c.d")

	want := map[string]string{
		"cluster": cluster, "epoch": "1", "generation": "2", "seq": "2", "began": "1.1", "owner": "one", "owner_epoch": "1",
	}
	if diff := cmp.Diff(want, rdb.HGetAll(t.Context(), metaKey).Val()); diff != "" {
		t.Errorf("meta (-want +got):\n%s", diff)
	}
	changes := rdb.ZRangeWithScores(t.Context(), changesKey, 0, -1).Val()
	if diff := cmp.Diff([]redis.Z{{Score: 1, Member: "a.b"}, {Score: 2, Member: "c.d"}}, changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if stone, ok := parseTombstone(rdb.Get(t.Context(), recordKey("c.d")).Val()); !ok || stone.Pair != at(1, 2) {
		t.Errorf("tombstone: got %+v %v, want one at 1.2", stone, ok)
	}
	first, err := sub.ReceiveMessage(t.Context())
	wantMessage := `{"cluster":"` + cluster + `","epoch":1,"generation":1,"seq":1,"names":["a.b","c.d"]}`
	if err != nil || first.Payload != wantMessage {
		t.Errorf("message: got %v %v, want %s", first, err, wantMessage)
	}
}

func TestPublisher_LoadGivesBackWhatWasPublished(t *testing.T) {
	p, rdb := claimed(t)
	publish(t, p, at(1, 1), []router.Record{record("a.b"), record("c.d"), record("*.e.f")}, "gone.g")
	rdb.Set(t.Context(), recordKey("c.d"), `{"host":"c.d"`, 0)

	got, pair, err := p.Load(t.Context())

	var broken *BrokenError
	if !errors.As(err, &broken) || len(broken.Causes) != 1 || broken.Causes["c.d"] == nil {
		t.Errorf("error: got %v, want c.d named as broken", err)
	}
	want := router.Table{"a.b": record("a.b"), "*.e.f": record("*.e.f")}
	for host, r := range want {
		r.Pair = at(1, 1)
		want[host] = r
	}
	if diff := cmp.Diff(want, got); diff != "" || pair != at(1, 1) {
		t.Errorf("pair %s, table (-want +got):\n%s", pair, diff)
	}
}

func TestPublisher_ReplaceLeavesExactlyTheTable(t *testing.T) {
	p, rdb := claimed(t)
	publish(t, p, at(1, 1), []router.Record{record("old.a"), record("broken.a")})
	rdb.Set(t.Context(), recordKey("broken.a"), "x", 0)
	want := make(router.Table)
	for i := range 2*replaceBatch + 3 {
		r := record("h" + string(rune('a'+i%26)) + time.Duration(i).String() + ".a")
		if r.Host, _ = router.CanonicalHost(r.Host); r.Host == "" {
			r.Host = "fallback.a"
		}
		r.Pair = at(2, 1)
		want[r.Host] = r
	}
	if err := p.Claim(t.Context(), 2); err != nil {
		t.Fatalf("Claim: %v", err)
	}

	if err := p.Replace(t.Context(), at(2, 1), maps.Clone(want)); err != nil {
		t.Fatalf("Replace: %v", err)
	}

	got, pair, err := p.Load(t.Context())
	if diff := cmp.Diff(want, got); diff != "" || pair != at(2, 1) || err != nil {
		t.Errorf("%s %v, table (-want +got):\n%s", pair, err, diff)
	}
}

func TestPublisher_HighestCountsAClaim(t *testing.T) {
	p, _ := claimed(t)
	publish(t, p, at(1, 7), nil)
	published, _ := p.Highest(t.Context())

	if err := p.Claim(t.Context(), 3); err != nil {
		t.Fatalf("Claim: %v", err)
	}
	then, err := p.Highest(t.Context())

	if published != at(1, 7) || then != at(3, 0) || err != nil {
		t.Errorf("got %s, then %s (%v), want 1.7 and 3.0", published, then, err)
	}
}

func TestPublisher_DropTombstonesAfterADay(t *testing.T) {
	p, rdb := claimed(t)
	publish(t, p, at(1, 1), []router.Record{record("a.b")}, "gone.g")

	if err := p.DropTombstones(t.Context(), time.Now().Add(23*time.Hour)); err != nil {
		t.Fatalf("DropTombstones: %v", err)
	}
	kept := rdb.ZRange(t.Context(), changesKey, 0, -1).Val()
	if err := p.DropTombstones(t.Context(), time.Now().Add(25*time.Hour)); err != nil {
		t.Fatalf("DropTombstones: %v", err)
	}
	left := rdb.ZRange(t.Context(), changesKey, 0, -1).Val()
	other := NewPublisher(rdb, cluster, "two")
	publish(t, p, at(1, 2), nil, "a.b")
	err := other.DropTombstones(t.Context(), time.Now().Add(25*time.Hour))

	if len(kept) != 2 || len(left) != 1 || rdb.Exists(t.Context(), recordKey("gone.g")).Val() != 0 {
		t.Errorf("names: got %v after 23 h and %v after 25 h, want both and then a.b", kept, left)
	}
	if !errors.Is(err, ErrFenced) {
		t.Errorf("another publisher: got %v, want ErrFenced", err)
	}
}

func TestSaveTable_LoadTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "routes.table")
	want := router.Table{"a.b": record("a.b"), "*.c.d": record("*.c.d")}

	if err := SaveTable(path, cluster, at(2, 3), want); err != nil {
		t.Fatalf("SaveTable: %v", err)
	}
	got, pair, err := LoadTable(path, cluster)
	_, _, foreign := LoadTable(path, id)

	if diff := cmp.Diff(want, got); diff != "" || pair != at(2, 3) || err != nil {
		t.Errorf("%s %v, table (-want +got):\n%s", pair, err, diff)
	}
	if !errors.Is(foreign, ErrForeign) {
		t.Errorf("another cluster's file: got %v, want ErrForeign", foreign)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode: got %o, want 600", info.Mode().Perm())
	}
}

func TestKeeper_SavesAndNeverGoesBack(t *testing.T) {
	rdb := testkit.Redis(t).Client(t)
	rdb.Ping(t.Context())
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	p := NewPublisher(rdb, cluster, "one")
	if err := p.Claim(t.Context(), 1); err != nil {
		t.Fatalf("Claim: %v", err)
	}
	publish(t, p, at(1, 1), []router.Record{record("a.b")})
	k := &Keeper{Replica: rdb, Cluster: cluster, Path: filepath.Join(t.TempDir(), "t"), Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- k.Run(ctx) }()

	testkit.Eventually(t, "the file", func() bool {
		_, pair, err := LoadTable(k.Path, cluster)
		return err == nil && pair == at(1, 1)
	})
	publish(t, p, at(1, 2), []router.Record{record("a.b")})
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: got %v, want nil", err)
	}
	if _, pair, err := LoadTable(k.Path, cluster); err != nil || pair != at(1, 2) {
		t.Errorf("the file at the end: got %s, %v, want 1.2", pair, err)
	}
	publish(t, p, at(1, 3), []router.Record{record("a.b")})
	k.Save(t.Context())
	if _, pair, err := LoadTable(k.Path, cluster); err != nil || pair != at(1, 3) {
		t.Errorf("the file before a start of workers: got %s, %v, want 1.3", pair, err)
	}
	rdb.FlushAll(t.Context())
	kept, err := k.keep(t.Context(), at(1, 1))

	if kept != at(1, 1) || err != nil {
		t.Errorf("with an empty replica: got %s %v, want 1.1 kept", kept, err)
	}
	_ = rdb.Close()
}

// A small table is on the disk soon after it came; a large one does not keep the disk busy.
func TestKeeper_RestsByWhatASaveTakes(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{0: 2 * time.Second, 50 * time.Millisecond: 2 * time.Second, time.Second: 20 * time.Second} {
		if got := restAfter(took); got != want {
			t.Errorf("after a save of %s: got %s, want %s", took, got, want)
		}
	}
}

func TestSalted_DiffersByHostAndStaysALineOfJSON(t *testing.T) {
	seen := make(map[string]bool)
	for i := range 1000 {
		text := salted("h"+time.Duration(i).String(), []byte(`{"a":1}`))

		if !json.Valid(text) || bytes.ContainsRune(text, '\n') || bytes.HasSuffix(text, []byte("\r")) {
			t.Fatalf("got %q, want JSON in one line", text)
		}
		seen[string(text)] = true
	}
	if len(seen) < 700 {
		t.Errorf("got %d different texts of 1000, want nearly as many", len(seen))
	}
}

// Routers tell by it whether a sequence is of the counting that they know.
func TestPublisher_SaysWhenItsCountingBegan(t *testing.T) {
	p, rdb := claimed(t)
	publish(t, p, at(1, 3), []router.Record{record("a.example.com")})
	publish(t, p, at(1, 4), []router.Record{record("a.example.com")})
	first := rdb.HGet(t.Context(), metaKey, "began").Val()
	rdb.FlushAll(t.Context())
	if err := p.Claim(t.Context(), 1); err != nil {
		t.Fatalf("Claim: %v", err)
	}
	publish(t, p, at(1, 5), []router.Record{record("a.example.com")})

	if again := rdb.HGet(t.Context(), metaKey, "began").Val(); first != "1.3" || again != "1.5" {
		t.Errorf("began: got %q, then %q, want 1.3, then 1.5", first, again)
	}
}
