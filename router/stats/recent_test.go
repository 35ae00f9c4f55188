package stats

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (r *rig) readRecent(recent *Recent, now time.Time) map[string]Recently {
	r.Helper()
	got, err := recent.Read(r.Context(), now)
	if err != nil {
		r.Fatalf("read the last minutes: got %v, want none", err)
	}
	return got
}

// recentHits are ten minutes of three apps' requests until now, in the order of
// time.
func recentHits(now time.Time) []Hit {
	random := rand.New(rand.NewPCG(3, 4))
	var hits []Hit
	for at := now.Add(-12 * time.Minute); at.Before(now); at = at.Add(700 * time.Millisecond) {
		for _, app := range []string{appA, release1, ""}[:1+random.IntN(3)] {
			h := hit(at)
			h.App, h.Seconds, h.Status = app, random.Float64(), []int{200, 200, 404, 500}[random.IntN(4)]
			hits = append(hits, h)
		}
	}
	return hits
}

// commitEach counts each hit in its shard.
func (r *rig) commitEach(hits []Hit) {
	byShard := map[int][]Hit{}
	for _, h := range hits {
		byShard[ShardOf(h.App)] = append(byShard[ShardOf(h.App)], h)
	}
	for _, list := range byShard {
		r.commit(router1, list...)
	}
}

// wantRecent is what a whole reading says.
func (r *rig) wantRecent(app string, now time.Time) Recently {
	until := now.Add(-arrival).Truncate(time.Second)
	var want Recently
	want.Last = r.window(Query{App: app, From: until.Add(-RateSeconds * time.Second), To: until})
	minute := r.window(Query{App: app, From: until.Add(-MinuteSeconds * time.Second), To: until})
	want.Minute = Answers{Requests: minute.Requests, Errors: minute.Status[5]}
	end := until.Truncate(SparkSeconds * time.Second)
	for i := range want.Spark {
		from := end.Add(time.Duration(i-SparkSteps) * SparkSeconds * time.Second)
		want.Spark[i] = uint32(r.window(Query{App: app, From: from, To: from.Add(SparkSeconds * time.Second)}).Requests)
	}
	return want
}

func TestRecent_IsWhatAWholeReadingSays(t *testing.T) {
	r := newRig(t)
	now := time.Now().Truncate(time.Minute).Add(5100 * time.Millisecond)
	hits := recentHits(now)
	recent := r.store.Recent()

	// Lines come in while readings go on; the roller packs some minutes between.
	for i, at := range []time.Time{now.Add(-100 * time.Second), now.Add(-40 * time.Second), now.Add(-time.Second), now} {
		n := 0
		for n < len(hits) && hits[n].Time.Before(at) {
			n++
		}
		r.commitEach(hits[:n])
		hits = hits[n:]
		if i == 2 {
			r.roll(at)
		}
		got := r.readRecent(recent, at)

		for _, app := range []string{appA, release1, NoApp, AllApps} {
			if diff := cmp.Diff(r.wantRecent(app, at), got[app]); diff != "" {
				t.Errorf("reading %d, app %q: got + want -\n%s", i, app, diff)
			}
		}
	}
}

func TestRecent_SeesLateLinesAndForgetsApps(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	recent := r.store.Recent()
	r.commit(router1, hit(now.Add(-5*time.Minute)))
	r.readRecent(recent, now)
	r.commit(router1, hit(now.Add(-5*time.Minute)))

	soon := r.readRecent(recent, now.Add(time.Second))[appA]
	later := r.readRecent(recent, now.Add(rereadInterval))[appA]
	if err := r.store.Forget(t.Context(), appA); err != nil {
		t.Fatal(err)
	}
	_, kept := r.readRecent(recent, now.Add(rereadInterval+time.Second))[appA]

	if sum(soon) != 1 || sum(later) != 2 || kept {
		t.Errorf("got %d, then %d requests, kept %t; want 1, 2, false", sum(soon), sum(later), kept)
	}
}

func sum(r Recently) (n uint32) {
	for _, of := range r.Spark {
		n += of
	}
	return n
}

func TestRecent_ABrokenMinuteHidesItselfAlone(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	r.commitEach([]Hit{hit(now.Add(-5 * time.Minute)), {Time: now.Add(-5 * time.Minute), App: release1, Status: 200}})
	key := slot{start: levels[0].start(now.Add(-5 * time.Minute).Unix()), dim: dimApp}.key(ShardOf(appA), appA)
	r.rdb.Append(t.Context(), key, "\xff\xff\xff")

	got := r.readRecent(r.store.Recent(), now)

	if sum(got[appA]) != 0 || sum(got[release1]) != 1 {
		t.Errorf("got %d and %d requests, want 0 of the broken one and 1 of the other", sum(got[appA]), sum(got[release1]))
	}
}

func TestRecent_SaysThatRedisIsAway(t *testing.T) {
	r := newRig(t)
	recent := r.store.Recent()
	r.server.Kill()

	got, err := recent.Read(t.Context(), time.Now())

	if err == nil {
		t.Errorf("got %v, want an error", got)
	}
}

// One reading of 1,000 apps, each with 20 requests in each second, as two routers
// commit them.
func BenchmarkRecent_Look(b *testing.B) {
	r := newRig(b)
	now := time.Now()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		h := hit(now)
		h.App = fmt.Sprint("app", i)
		for _, router := range []string{router1, router2} {
			batch := NewBatch()
			for second := range 70 {
				h.Time = now.Add(time.Duration(-second) * time.Second)
				steady(batch, h, 10, random)
			}
			r.commitBatch(router, ShardOf(h.App), batch)
		}
	}
	recent := r.store.Recent()
	r.readRecent(recent, now)
	b.ReportAllocs()
	for b.Loop() {
		r.readRecent(recent, now.Add(time.Second))
	}
}
