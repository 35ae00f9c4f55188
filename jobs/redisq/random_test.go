package redisq

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/jobs"
)

const limitedTimeout = 150 * time.Millisecond

// Environment variables that make a run of the random trees longer, or repeat
// one.
const (
	roundsEnv = "REDISQ_TEST_ROUNDS"
	seedEnv   = "REDISQ_TEST_SEED"
)

// Random trees on worker processes that are killed and stopped, under keepers
// that take over from each other, over a Redis that is killed or emptied: what
// the package promises holds all the same, as seen from the outside. Nothing
// here looks into a keeper or a worker.
func TestJobs_RandomTreesKeepTheirPromises(t *testing.T) {
	t.Parallel()
	few := int64(10)
	if testing.Short() {
		few = 4
	}
	seed, count := numberFromEnv(seedEnv, time.Now().UnixNano()), numberFromEnv(roundsEnv, few)
	w := newWorld(t)
	defer w.end()
	var r *round
	defer func() {
		if t.Failed() {
			t.Logf("the round that failed (again: %s=%d): faults %v", seedEnv, seed-1, r.Faults)
		}
	}()

	for ; count > 0 && !t.Failed(); count-- {
		seed++
		r = rounds.Example(int(seed))
		w.play(r)
	}
}

func numberFromEnv(name string, otherwise int64) int64 {
	if n, err := strconv.ParseInt(os.Getenv(name), 10, 64); err == nil {
		return n
	}
	return otherwise
}

// world is a Redis, its worker processes and its keepers.
type world struct {
	tb      testing.TB
	server  *testkit.RedisServer
	journal *journal
	crew    *crew
	ends    chan *jobs.Tree

	keepers []*reign
	tally   tally
}

// reign is one keeper's time.
type reign struct {
	k      *Keeper
	stop   func() error
	cut    chan struct{} // closed when its next crash point blocks
	free   chan struct{} // closed to let it go on
	buried bool
}

// tally is what a whole run saw, for people.
type tally struct {
	trees, jobs, runs, handovers           int
	succeeded, failed, aborted             int
	overlaps, unbegunLeases, late, lost    int64
	faults                                 map[faultKind]int
	poisoned, unknown, cleanups, keeperEnd int
	superseded                             int
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{
		tb: tb, journal: newJournal(tb), ends: make(chan *jobs.Tree, 1000),
		server: testkit.Redis(tb, "--appendonly", "yes", "--appendfsync", "always"),
		tally:  tally{faults: map[faultKind]int{}},
	}
	w.crew = startCrew(tb, w.server.Socket, w.journal)
	w.crown()
	return w
}

func (w *world) end() {
	for _, r := range w.keepers {
		w.bury(r)
	}
	died := w.crew.end()
	w.journal.close()
	w.tb.Logf("worker processes that died: %d; %+v", died, w.tally)
}

// crown starts a keeper above all before; these may still run.
func (w *world) crown() {
	w.tb.Helper()
	r := &reign{cut: make(chan struct{}), free: make(chan struct{})}
	opt := hastyOptions(int64(len(w.keepers) + 1))
	opt.Policies = map[string]jobs.Policy{
		kindOnce:    {AtMostOnce: true, MaxAttempts: 3},
		kindLimited: {MaxAttempts: 2, Timeout: limitedTimeout},
	}
	opt.OnEnd = func(_ context.Context, t *jobs.Tree) error { w.ends <- t; return nil }
	opt.MayGraft = func(*jobs.Job, jobs.Spec) bool { return true }
	opt.Crash = func(string) {
		select {
		case <-r.cut:
			<-r.free
		default:
		}
	}
	r.k = NewKeeper(connect(w.tb, w.server), opt)
	r.stop = start(w.tb, r.k.Run)
	w.keepers = append(w.keepers, r)
}

func (w *world) keeper() *Keeper { return w.keepers[len(w.keepers)-1].k }

// bury ends a keeper. One that was succeeded has to find that out by itself.
func (w *world) bury(r *reign) {
	if r.buried {
		return
	}
	r.buried = true
	close(r.free)
	succeeded := r != w.keepers[len(w.keepers)-1]
	if succeeded {
		w.awaitFenced(r)
	} else if err := r.stop(); err != nil {
		w.tb.Errorf("the last keeper: got %v, want nil", err)
	}
	w.tally.late += r.k.Stats().Late
	w.tally.lost += r.k.Stats().Lost
}

func (w *world) awaitFenced(r *reign) {
	w.tb.Helper()
	testkit.Eventually(w.tb, "the older keeper to end", func() bool {
		select {
		case <-r.k.stopped:
			return true
		default:
			return false
		}
	})
	if err := r.stop(); !errors.Is(err, ErrFenced) {
		w.tb.Errorf("the older keeper: got %v, want ErrFenced", err)
	}
	w.tally.keeperEnd++
}

// stage is a round while it is played.
type stage struct {
	*world
	*round
	ended   map[string]*jobs.Tree
	asked   map[string]bool // trees that may have been aborted
	refused map[string]bool // trees that surely were: Abort returned nil
	instead map[string]bool // jobs that took the place of others
	from    int             // where the round begins in the journal
}

func (w *world) play(r *round) {
	w.tb.Helper()
	s := &stage{
		world: w, round: r, from: len(w.journal.all()),
		ended: map[string]*jobs.Tree{}, asked: map[string]bool{}, refused: map[string]bool{}, instead: map[string]bool{},
	}
	for _, t := range r.Trees {
		add(w.tb, w.keeper(), t)
	}
	begun := time.Now()
	for _, f := range r.Faults {
		_ = work(w.tb.Context(), time.Until(begun.Add(time.Duration(f.Millis)*time.Millisecond)))
		s.strike(f)
	}
	testkit.Eventually(w.tb, "all trees of the round to end", s.allEnded)
	for _, k := range w.keepers[:len(w.keepers)-1] {
		w.bury(k)
	}
	w.awaitNoKeys()
	s.check()
}

func (s *stage) strike(f fault) {
	s.tb.Helper()
	s.tally.faults[f.Kind]++
	switch f.Kind {
	case faultKill:
		s.crew.signal(f.Which, syscall.SIGKILL)
	case faultStall:
		s.crew.signal(f.Which, syscall.SIGSTOP)
	case faultResume:
		s.crew.signal(f.Which, syscall.SIGCONT)
	case faultStick:
		close(s.keepers[len(s.keepers)-1].cut)
		_ = work(s.tb.Context(), testTTL/10)
		s.crown()
	case faultKeeper:
		s.crown()
	case faultRestart:
		s.server.Kill()
		s.server.Start(s.tb)
	case faultWipe:
		if err := s.server.Client(s.tb).FlushAll(s.tb.Context()).Err(); err != nil {
			s.tb.Fatalf("FLUSHALL: %v", err)
		}
	case faultAbort:
		s.abort(s.Trees[f.Which].ID)
	case faultInstead:
		s.supersede(s.Trees[f.Which].ID, f)
	}
}

// supersede has another job take the place of one of a tree that is open, if there is one.
func (s *stage) supersede(tree string, f fault) {
	t, err := s.keeper().Tree(testkit.EndedBy(s.tb, time.Second), tree)
	if err != nil {
		return
	}
	var open []string
	for id, j := range t.Jobs {
		if j.Parent != "" && !j.Cleanup && !j.State.Ended() {
			open = append(open, id)
		}
	}
	if slices.Sort(open); len(open) > 0 {
		s.instead[f.By.ID] = true
		_ = s.keeper().Supersede(testkit.EndedBy(s.tb, time.Second), open[f.Millis%len(open)], []jobs.Spec{f.By}, "by hand")
	}
}

func (s *stage) abort(id string) {
	s.asked[id] = true
	if s.keeper().Abort(testkit.EndedBy(s.tb, time.Second), id, "by hand") == nil {
		s.refused[id] = true
	}
}

// allEnded takes in what was handed over. A tree that an emptied Redis forgot is
// added again, as the owner of an open operation does.
func (s *stage) allEnded() bool {
	for len(s.ends) > 0 {
		t := <-s.ends
		s.tally.handovers++
		if before := s.ended[t.ID]; before != nil && before.State != t.State && !s.wiped() {
			s.tb.Errorf("tree %s: handed over as %s, then as %s", t.ID, before.State, t.State)
		}
		s.ended[t.ID] = t
	}
	missing := 0
	for _, t := range s.Trees {
		if s.ended[t.ID] != nil {
			continue
		}
		missing++
		if s.wiped() {
			_ = s.keeper().Add(testkit.EndedBy(s.tb, time.Second), t, "op") // one that is open is left as it is
		}
	}
	return missing == 0
}

// awaitNoKeys waits until nothing is left but what lives for ever, and the marks
// of trees that a keeper missed, which go by themselves. A late beat stays until
// a keeper looks at the queue: some work makes it.
func (w *world) awaitNoKeys() {
	w.tb.Helper()
	rdb := w.server.Client(w.tb)
	var left []string
	defer func() {
		if w.tb.Failed() {
			w.tb.Logf("keys left: %v", left)
		}
	}()
	testkit.Eventually(w.tb, "no key of a tree or job to be left", func() bool {
		left = append(keysLike(w.tb, rdb, "*}:j:*"), livingTrees(w.tb, rdb)...)
		return len(left) == 0
	})
	if left = keysLike(w.tb, rdb, "*}:beat"); len(left) == 0 {
		return
	}
	for _, q := range crewQueues {
		s := spec(kindClean, q)
		s.Args = encode(script{Steps: []step{{Do: doOK, Millis: int(testTTL.Milliseconds())}}})
		add(w.tb, w.keeper(), s)
		awaitEnd(w.tb, w.ends)
	}
	testkit.Eventually(w.tb, "no beat to be left", func() bool {
		left = keysLike(w.tb, rdb, "*}:beat")
		return len(left) == 0
	})
}

// keysLike lists keys. Before Redis answers there is one, so that nobody takes
// silence for emptiness.
func keysLike(tb testing.TB, rdb *redis.Client, pattern string) []string {
	tb.Helper()
	keys, err := rdb.Keys(tb.Context(), pattern).Result()
	if err != nil {
		return []string{err.Error()}
	}
	return keys
}

func livingTrees(tb testing.TB, rdb *redis.Client) []string {
	tb.Helper()
	return slices.DeleteFunc(keysLike(tb, rdb, treeKey("*")), func(key string) bool {
		there, err := rdb.HExists(tb.Context(), key, "v").Result()
		return err == nil && !there
	})
}

func (f fault) String() string { return fmt.Sprintf("%s (%d) after %d ms", f.Kind, f.Which, f.Millis) }
