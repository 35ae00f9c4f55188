package openresty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/router"
	"aorta/router/table"
)

// touch makes the workers look at everything that was changed by hand for the
// names.
func (r *rig) touch(names ...string) {
	r.tb.Helper()
	seq := r.rdb.HIncrBy(r.tb.Context(), "routes:meta", "seq", 1).Val()
	for _, name := range names {
		if err := r.rdb.Do(r.tb.Context(), "ZADD", "routes:changes", seq, name).Err(); err != nil {
			r.tb.Fatalf("ZADD: %v", err)
		}
	}
	r.rdb.Publish(r.tb.Context(), "routes:changed", "{}")
}

// wave publishes a fresh host and waits for it, so that everything before it
// was seen by every worker.
func (r *rig) wave() {
	r.tb.Helper()
	r.publish(route("wave.example.com", newApp(r.tb, nil)))
}

func TestNginx_BrokenRecordKeepsThePreviousOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := newApp(t, nil), newApp(t, nil)
	r.publish(route("a.example.com", a), route("b.example.com", a))

	r.rdb.Set(t.Context(), "routes:r:a.example.com", `{"host":"a.example.com","app":"; drop"}`, 0)
	r.touch("a.example.com")
	r.publish(route("b.example.com", b))
	broken := r.status().Workers
	_, kept := r.do("GET", "a.example.com")
	_, other := r.do("GET", "b.example.com")
	r.publish(route("a.example.com", b))
	mended := r.status().Workers

	if kept != a.ID || other != b.ID {
		t.Errorf("got %s and %s, want the previous %s and the new %s", kept, other, a.ID, b.ID)
	}
	for i := range broken {
		if broken[i].Broken != 1 || broken[i].Records != 2 || mended[i].Broken != 0 {
			t.Errorf("worker: got %d broken of %d records, then %d, want 1 of 2, then 0", broken[i].Broken, broken[i].Records, mended[i].Broken)
		}
	}
}

func TestNginx_AddressOutsideTheNetworksIsBroken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	outside := newApp(t, nil)
	outside.Addr = "169.254.169.254:80"
	// Every worker is there first: one that is born later takes over the records
	// that are kept, and a broken one is not among them.
	r.publish(route("b.example.com", newApp(t, nil)))
	r.publish(route("a.example.com", outside))

	code, _ := r.do("GET", "a.example.com")

	if code != http.StatusNotFound || r.status().Workers[0].Broken != 1 {
		t.Errorf("got %d with %d broken, want 404 with 1", code, r.status().Workers[0].Broken)
	}
}

func TestNginx_AbsenceRemovesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := newApp(t, nil)
	r.publish(route("a.example.com", a))

	r.rdb.Del(t.Context(), "routes:r:a.example.com")
	r.touch("a.example.com")
	r.wave()

	if code, body := r.do("GET", "a.example.com"); code != 200 || body != a.ID {
		t.Errorf("got %d %s, want the previous route", code, body)
	}
}

func TestNginx_RefusesATableThatWentBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := newApp(t, nil), newApp(t, nil)
	r.publish(route("a.example.com", a))
	r.publish(route("a.example.com", a))

	for field, value := range map[string]any{"epoch": 0, "generation": 1, "cluster": "0192d3a0-0000-7000-8000-00000000c1c2"} {
		before := r.rdb.HGet(t.Context(), "routes:meta", field).Val()
		stranger := route("a.example.com", b)
		stranger.Pair = router.Pair{Epoch: 9, Generation: 9}
		text, _ := json.Marshal(stranger)
		record := r.rdb.Get(t.Context(), "routes:r:a.example.com").Val()
		r.rdb.HSet(t.Context(), "routes:meta", field, value)
		r.rdb.Set(t.Context(), "routes:r:a.example.com", text, 0)
		r.touch("a.example.com")
		r.quiet()

		if _, body := r.do("GET", "a.example.com"); body != a.ID {
			t.Errorf("with %s %v: got %s, want the route of before", field, value, body)
		}
		r.rdb.Set(t.Context(), "routes:r:a.example.com", record, 0)
		r.rdb.HSet(t.Context(), "routes:meta", field, before)
		r.wave()
	}
}

// quiet wakes the workers until they have looked many times: a look is an HMGET,
// which nothing else sends meanwhile. Where it matters that each has looked the
// rig has one worker: of two on a busy machine one may do it all.
func (r *rig) quiet() {
	r.tb.Helper()
	looks := func() (n int) {
		stats := r.rdb.InfoMap(r.tb.Context(), "commandstats").Item("Commandstats", "cmdstat_hmget")
		_, _ = fmt.Sscanf(stats, "calls=%d", &n)
		return n
	}
	first := looks()
	testkit.Eventually(r.tb, "the workers to look", func() bool {
		r.rdb.Publish(r.tb.Context(), "routes:changed", "{}")
		return looks() > first+20
	})
}

func TestNginx_OlderRecordIsNotTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := newApp(t, nil), newApp(t, nil)
	r.publish(route("a.example.com", a))
	old := route("a.example.com", b)
	old.Pair = router.Pair{Epoch: 1}
	text, _ := json.Marshal(old)

	r.rdb.Set(t.Context(), "routes:r:a.example.com", text, 0)
	r.touch("a.example.com")
	r.wave()

	if _, body := r.do("GET", "a.example.com"); body != a.ID {
		t.Errorf("got %s, want the record with the higher pair", body)
	}
}

// A message may come after the tick that read its records, and a record that
// was announced may never come: neither holds up what is published next.
func TestNginx_AnnouncementIsNotAwaitedForEver(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		announced router.Pair
	}{
		{"read before its message", router.Pair{Epoch: 1, Generation: 1}},
		{"never published", router.Pair{Epoch: 7, Generation: 7}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			a, b := newApp(t, nil), newApp(t, nil)
			r.publish(route("a.example.com", a))
			r.rdb.Publish(t.Context(), "routes:changed", fmt.Sprintf(
				`{"cluster":%q,"epoch":%d,"generation":%d,"names":["a.example.com"]}`,
				cluster, test.announced.Epoch, test.announced.Generation))
			r.quiet()
			old := route("a.example.com", b)
			old.Pair = router.Pair{Epoch: 1}
			text, _ := json.Marshal(old)
			r.rdb.Set(t.Context(), "routes:r:a.example.com", text, 0)
			r.touch("a.example.com")

			r.wave()

			if _, body := r.do("GET", "a.example.com"); body != a.ID {
				t.Errorf("got %s, want the record with the higher pair", body)
			}
		})
	}
}

// The master is emptied and filled again up to the very sequence that a worker
// saw last, before the worker looks.
func TestNginx_MasterBackEmptyAndAsFar(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := newApp(t, nil), newApp(t, nil)
	r.publish(route("a.example.com", a), route("gone.example.com", a))
	meta := r.rdb.HGetAll(t.Context(), "routes:meta").Val()
	seq, _ := strconv.ParseFloat(meta["seq"], 64)
	r.pair.Generation++
	record := route("a.example.com", b)
	record.Pair = r.pair
	text, _ := json.Marshal(record)
	meta["generation"], meta["began"] = strconv.FormatUint(r.pair.Generation, 10), "1.2"

	_, err := r.rdb.TxPipelined(t.Context(), func(p redis.Pipeliner) error {
		p.FlushAll(t.Context())
		p.HSet(t.Context(), "routes:meta", meta)
		p.Set(t.Context(), "routes:r:a.example.com", text, 0)
		p.ZAdd(t.Context(), "routes:changes", redis.Z{Score: seq, Member: "a.example.com"})
		return nil
	})
	if err != nil {
		t.Fatalf("fill the master anew: %v", err)
	}
	r.wait()

	_, body := r.do("GET", "a.example.com")
	gone, _ := r.do("GET", "gone.example.com")
	if body != b.ID || gone != http.StatusNotFound {
		t.Errorf("got %s and %d, want the new route and 404", body, gone)
	}
}

func TestNginx_MasterBackEmpty(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := newApp(t, nil), newApp(t, nil)
	r.publish(route("a.example.com", a), route("gone.example.com", a))

	r.redis.Kill()
	_, away := r.do("GET", "a.example.com")
	r.redis.Start(t)
	r.quiet()
	_, empty := r.do("GET", "a.example.com")
	r.pair = router.Pair{Epoch: 2, Generation: 1}
	publisher := table.NewPublisher(r.rdb, cluster, "next")
	if err := publisher.Claim(t.Context(), 2); err != nil {
		t.Fatalf("Claim: %v", err)
	}
	record := route("a.example.com", b)
	if err := publisher.Replace(t.Context(), r.pair, router.Table{"a.example.com": record}); err != nil {
		t.Fatalf("Replace: %v", err)
	}
	r.wait()
	_, published := r.do("GET", "a.example.com")
	gone, _ := r.do("GET", "gone.example.com")

	if away != a.ID || empty != a.ID || published != b.ID || gone != http.StatusNotFound {
		t.Errorf("got %s (away), %s (empty), %s and %d (published again), want %s, %s, %s and 404",
			away, empty, published, gone, a.ID, a.ID, b.ID)
	}
}

// announce says again and again that the name has a record of that generation, then of
// the next one, and so on, until it is stopped, and gives the last: a worker waits for
// the newest that it heard of, and for each only for so long.
func (r *rig) announce(name string, generation uint64) (stop func() (last uint64)) {
	r.tb.Helper()
	ctx, cancel := context.WithCancel(r.tb.Context())
	done := make(chan struct{})
	say := func() {
		r.rdb.Publish(r.tb.Context(), "routes:changed",
			fmt.Sprintf(`{"cluster":%q,"epoch":1,"generation":%d,"seq":9,"names":[%q]}`, cluster, generation, name))
	}
	say()
	go func() { // ends with stop
		defer close(done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				generation++
				say()
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() uint64 { cancel(); <-done; return generation }
}

func TestNginx_AnswerThatCrossedAMessageWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.WorkerProcesses = 1 })
	a, b, c := newApp(t, nil), newApp(t, nil), newApp(t, nil)
	r.publish(route("a.example.com", a))
	held := r.pair

	stop := r.announce("a.example.com", 50)
	r.quiet()
	r.change([]router.Record{route("a.example.com", b)}, nil)
	r.quiet()
	_, crossed := r.do("GET", "a.example.com")
	waiting := r.status().Pair
	last := stop()
	r.pair.Generation = last
	r.publish(route("a.example.com", c))
	_, then := r.do("GET", "a.example.com")

	if crossed != a.ID || waiting != held || then != c.ID {
		t.Errorf("got %s at %s, then %s, want %s at %s until 1.%d, then %s", crossed, waiting, then, a.ID, held, last, c.ID)
	}
}

func TestNginx_EveryAnswerIsOfItsOwnApp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const hosts = 40
	apps := make([]*app, hosts)
	for i := range apps {
		apps[i] = newApp(t, nil)
	}
	name := func(i int) string { return string(rune('a'+i%26)) + string(rune('a'+i/26)) + ".example.com" }
	r.publish(route("steady.example.com", apps[0]))
	stop := r.getters(2, "steady.example.com")

	for round := range 30 {
		var changed []router.Record
		var removed []string
		for i := range apps {
			switch (i + round) % 3 {
			case 0:
				changed = append(changed, route(name(i), apps[i]))
			case 1:
				changed = append(changed, route(name(i), apps[i], newNeighbour(apps[i])))
			default:
				removed = append(removed, name(i))
			}
		}
		r.change(changed, removed)
		r.wait()
		for i := range apps {
			code, body := r.do("GET", name(i))
			if gone := (i+round)%3 == 2; gone != (code == http.StatusNotFound) || (!gone && body != apps[i].ID) {
				t.Fatalf("round %d, %s: got %d %s, want gone=%v or %s", round, name(i), code, body, gone, apps[i].ID)
			}
		}
	}
	sent, failed := stop()

	if failed != 0 || sent == 0 {
		t.Errorf("meanwhile: got %d of %d failed, want 0", failed, sent)
	}
	want := 1 // steady
	for i := range apps {
		if (i+29)%3 != 2 {
			want++
		}
	}
	for _, w := range r.status().Workers {
		if w.Records != want {
			t.Errorf("records: got %d, want %d", w.Records, want)
		}
	}
}

// newNeighbour is another instance at the same address.
func newNeighbour(a *app) *app {
	n := &app{Instance: a.Instance}
	n.ID = "0192d3a0-0000-7000-8000" + a.ID[23:]
	return n
}

// A worker that was killed comes back with the table that was kept, older than
// the others': until it is there nobody may count on the new one.
func TestNginx_UnbornWorkerHoldsBackTheAck(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := newApp(t, nil), newApp(t, nil)
	r.publish(route("a.example.com", a))
	master, victim := r.nginx.Pid(), r.status().Workers[0].PID

	t.Cleanup(func() { _ = syscall.Kill(master, syscall.SIGCONT) })
	err := errors.Join(syscall.Kill(master, syscall.SIGSTOP), syscall.Kill(victim, syscall.SIGKILL)) // it makes no new one
	r.change([]router.Record{route("a.example.com", b)}, nil)
	_, early := r.nginx.WaitGeneration(testkit.EndedBy(t, 500*time.Millisecond), r.pair)
	if err = errors.Join(err, syscall.Kill(master, syscall.SIGCONT)); err != nil {
		t.Fatal(err)
	}
	r.wait()
	_, body := r.do("GET", "a.example.com")

	if early == nil || body != b.ID {
		t.Errorf("got error %v without the worker, and %s with it; want one, and %s", early, body, b.ID)
	}
}
