package redisq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"aorta/internal/testkit"
	"aorta/jobs"
)

// effectTree is a tree of n levels with two children each; every job knows its
// children.
func effectTree(levels int) jobs.Spec {
	s := spec("step", childQueue)
	var args treeArgs
	for range 2 * min(levels-1, 1) {
		c := effectTree(levels - 1)
		args.Children = append(args.Children, c.ID)
		s.Children = append(s.Children, c)
	}
	s.Args, _ = json.Marshal(args)
	return s
}

func TestWorker_KilledWorkersJobGoesToAnother(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t)
	rdb := connect(t, server)
	opt := keeperOptions(1)
	var clock jumpingClock
	opt.Clock = clock.now
	k, ends, _ := startKeeper(t, rdb, opt)
	child, gone := startChild(t, server.Socket, 0, "hang")
	s := effectTree(1)
	add(t, k, s)
	testkit.Eventually(t, "the child to run the job", func() bool { return rdb.Get(t.Context(), "hung").Val() == "1" })

	_ = child.Process.Kill()
	<-gone
	lapse(t, k, &clock)
	startWorker(t, rdb, childQueue, map[string]jobs.Handler{"step": effect(rdb)})
	tree := awaitEnd(t, ends)

	wantState(t, tree, jobs.Succeeded)
	j := tree.Jobs[s.ID]
	if j.Attempt != 2 || j.Crashes != 1 || k.Stats().Lost != 1 {
		t.Fatalf("got %d attempts, %d crashes, %d leases lost; want 2, 1, 1", j.Attempt, j.Crashes, k.Stats().Lost)
	}
}

func TestWorker_PoisonIsParkedAfterThreeCrashes(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t)
	rdb := connect(t, server)
	k, ends, _ := startKeeper(t, rdb, hastyOptions(1))
	add(t, k, effectTree(1))

	for range jobs.MaxCrashes {
		_, gone := startChild(t, server.Socket, 100, "")
		<-gone
	}
	tree := awaitEnd(t, ends)

	wantState(t, tree, jobs.Failed)
	if got := tree.Stop.Reason; !strings.Contains(got, "died 3 times") {
		t.Fatalf("reason: got %q, want that its worker died 3 times", got)
	}
}

func TestJobs_SurviveWorkersKilledAnywhere(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t)
	rdb := connect(t, server)
	k, ends, _ := startKeeper(t, rdb, hastyOptions(1))
	const trees = 8
	mortals := startMortals(t, server.Socket)
	for range trees {
		add(t, k, effectTree(3))
	}

	var ended []*jobs.Tree
	for range trees {
		ended = append(ended, awaitEnd(t, ends))
	}
	mortals.end()

	for _, tree := range ended {
		if tree.State == jobs.Failed && !strings.Contains(tree.Stop.Reason, "died 3 times") {
			t.Errorf("tree %s: got failed by %q, want success or poison", tree.ID, tree.Stop.Reason)
		}
		for _, j := range tree.Jobs {
			if !j.State.Ended() {
				t.Errorf("job %s: got %s, want an end", j.ID, j.State)
			}
			if j.State == jobs.Succeeded && !rdb.SIsMember(t.Context(), "effects", j.ID).Val() {
				t.Errorf("job %s: got succeeded without its effect", j.ID)
			}
		}
	}
	if v := rdb.Get(t.Context(), "violations").Val(); v != "" {
		t.Errorf("jobs that ran before their children: got %s, want none", v)
	}
	t.Logf("workers killed: %d, leases lost: %d", mortals.deaths, k.Stats().Lost)
}

// mortals are a worker process that is replaced each time it kills itself.
type mortals struct {
	tb     testing.TB
	socket string
	stop   chan struct{}
	done   chan struct{}
	deaths int // read after end
}

// mortalRisk is the chance, in percent, to die at a crash point.
const mortalRisk = 8

func startMortals(tb testing.TB, socket string) *mortals {
	m := &mortals{tb: tb, socket: socket, stop: make(chan struct{}), done: make(chan struct{})}
	cmd, gone := startChild(tb, socket, mortalRisk, "")
	go m.replace(cmd, gone)
	return m
}

func (m *mortals) end() {
	close(m.stop)
	<-m.done
}

// replace runs until end.
func (m *mortals) replace(cmd *exec.Cmd, gone <-chan struct{}) {
	defer close(m.done)
	for {
		select {
		case <-m.stop:
			_ = cmd.Process.Kill()
			<-gone
			return
		case <-gone:
			m.deaths++
			cmd, gone = startChild(m.tb, m.socket, mortalRisk, "")
		}
	}
}

func TestKeeper_AtMostOnceEndsUnknownWhenItsWorkerIsLost(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t)
	rdb := connect(t, server)
	opt := keeperOptions(1)
	var clock jumpingClock
	opt.Clock = clock.now
	opt.Policies = map[string]jobs.Policy{"step": {AtMostOnce: true, MaxAttempts: 5}}
	k, ends, _ := startKeeper(t, rdb, opt)
	child, gone := startChild(t, server.Socket, 0, "hang")
	add(t, k, effectTree(1))
	testkit.Eventually(t, "the child to run the job", func() bool { return rdb.Get(t.Context(), "hung").Val() == "1" })

	_ = child.Process.Kill()
	<-gone
	lapse(t, k, &clock)
	tree := awaitEnd(t, ends)

	wantState(t, tree, jobs.Failed)
	if got := tree.Jobs[tree.ID]; !strings.Contains(got.Error, "outcome is unknown") || got.Attempt != 1 {
		t.Fatalf("got %q after %d attempts, want an unknown outcome after 1", got.Error, got.Attempt)
	}
}

func TestWorker_StoppingGivesItsJobBack(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	q := jobs.NodeQueue("a")
	begun := make(chan struct{}, 1)
	stop := start(t, NewWorker(rdb, workerOptions(q, map[string]jobs.Handler{"x": func(ctx context.Context, r *jobs.Run) (any, error) {
		begun <- struct{}{}
		return untilCancelled(ctx, r)
	}})).Run)
	add(t, k, spec("x", q))
	<-begun

	err := stop()
	start(t, NewWorker(rdb, workerOptions(q, map[string]jobs.Handler{"x": ok})).Run)
	tree := awaitEnd(t, ends)

	if j := tree.Jobs[tree.ID]; err != nil || j.State != jobs.Succeeded || j.Failures != 0 || j.Crashes != 0 {
		t.Fatalf("got %v, %s with %d failures and %d crashes; want nil, succeeded, 0, 0", err, j.State, j.Failures, j.Crashes)
	}
}

// A keeper that stops right after it wrote a tree, and wakes after another one
// took over and went on: what it had left undone is done, and it writes nothing.
func TestKeeper_OlderEpochIsFencedAndItsWorkGoesOn(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	q := jobs.NodeQueue("a")
	stuck, free := make(chan struct{}), make(chan struct{})
	opt := keeperOptions(1)
	opt.Crash = func(string) { close(stuck); <-free }
	old := NewKeeper(rdb, opt)
	result := make(chan error, 1)
	go func() { result <- old.Run(t.Context()) }()
	var runs atomic.Int64
	startWorker(t, rdb, q, map[string]jobs.Handler{"x": func(context.Context, *jobs.Run) (any, error) {
		runs.Add(1)
		return nil, nil
	}})
	add(t, old, spec("x", q, spec("x", q)))
	<-stuck

	_, ends, _ := startKeeper(t, rdb, keeperOptions(2))
	tree := awaitEnd(t, ends)
	close(free)
	err := <-result

	wantState(t, tree, jobs.Succeeded)
	if !errors.Is(err, ErrFenced) || runs.Load() != 2 {
		t.Fatalf("the old keeper: got %v after %d runs, want ErrFenced after 2", err, runs.Load())
	}
	if err := old.Add(t.Context(), spec("x", q), "op"); !errors.Is(err, ErrStopped) {
		t.Fatalf("Add to the old keeper: got %v, want ErrStopped", err)
	}
}

func TestKeeper_RefusesAnEqualEpochAndAnotherCluster(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, _, _ := startKeeper(t, rdb, keeperOptions(5))
	add(t, k, spec("x", jobs.NodeQueue("a")))
	same, lower, other := keeperOptions(5), keeperOptions(4), keeperOptions(9)
	other.Cluster = "stranger"

	for name, opt := range map[string]KeeperOptions{"same epoch": same, "lower epoch": lower, "other cluster": other} {
		err := NewKeeper(rdb, opt).Run(t.Context())

		if !errors.Is(err, ErrFenced) {
			t.Errorf("%s: got %v, want ErrFenced", name, err)
		}
	}
}

// An emptied Redis is no invitation to a keeper that is not the last one.
func TestKeeper_AsksBeforeItClaimsAnEmptyRedis(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	var asked atomic.Int64
	opt.Confirm = func(context.Context) error {
		if asked.Add(1) == 1 {
			return nil
		}
		return fmt.Errorf("epoch 2 is in the database: %w", ErrFenced)
	}
	k := NewKeeper(rdb, opt)
	result := make(chan error, 1)
	go func() { result <- k.Run(t.Context()) }()
	add(t, k, spec("x", jobs.NodeQueue("a")))

	if err := rdb.FlushAll(t.Context()).Err(); err != nil {
		t.Fatalf("FLUSHALL: %v", err)
	}
	err := <-result

	if left := rdb.Keys(t.Context(), "*").Val(); !errors.Is(err, ErrFenced) || len(left) != 0 {
		t.Fatalf("got %v and keys %v, want ErrFenced and none", err, left)
	}
}

func TestKeeper_EndedTreeIsHandedOverAfterARestart(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	q := jobs.NodeQueue("a")
	opt := keeperOptions(1)
	asked := make(chan struct{}, 100)
	opt.OnEnd = func(context.Context, *jobs.Tree) error {
		asked <- struct{}{}
		return errors.New("no database")
	}
	first, _, stop := startKeeper(t, rdb, opt)
	startWorker(t, rdb, q, map[string]jobs.Handler{"x": ok})
	s := spec("x", q)
	add(t, first, s)
	<-asked
	_ = stop()

	second, ends, _ := startKeeper(t, rdb, keeperOptions(2))
	tree := awaitEnd(t, ends)

	if tree.ID != s.ID || tree.State != jobs.Succeeded {
		t.Fatalf("got tree %s, %s; want %s, succeeded", tree.ID, tree.State, s.ID)
	}
	awaitGone(t, second, s.ID)
}

func TestJobs_GoOnAfterRedisWasRestarted(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
	rdb := connect(t, server)
	opt := hastyOptions(1)
	opt.DefaultPolicy.MaxAttempts = 1000 // its handlers use this Redis too
	k, ends, _ := startKeeper(t, rdb, opt)
	startWorker(t, rdb, childQueue, map[string]jobs.Handler{"step": effect(rdb)})
	const trees = 30
	for range trees {
		add(t, k, effectTree(3))
	}

	server.Kill()
	server.Start(t)
	for range trees {
		wantState(t, awaitEnd(t, ends), jobs.Succeeded)
	}

	if v := rdb.Get(t.Context(), "violations").Val(); v != "" {
		t.Errorf("jobs that ran before their children: got %s, want none", v)
	}
	testkit.Eventually(t, "a resync after the restart", func() bool { return k.Stats().Resyncs >= 2 })
}

func TestJobs_GoOnAfterRedisWasWiped(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	q := jobs.NodeQueue("a")
	begun, causes := make(chan struct{}, 2), make(chan error, 1)
	var runs atomic.Int64
	startWorker(t, rdb, q, map[string]jobs.Handler{"x": func(ctx context.Context, _ *jobs.Run) (any, error) {
		if runs.Add(1) > 1 {
			return nil, nil
		}
		begun <- struct{}{}
		<-ctx.Done()
		causes <- context.Cause(ctx)
		return nil, ctx.Err()
	}})
	events := watch(t, k)
	s := spec("x", q, spec("x", q))
	add(t, k, s)
	<-begun

	if err := rdb.FlushAll(t.Context()).Err(); err != nil {
		t.Fatalf("FLUSHALL: %v", err)
	}
	awaitEvents(t, events, map[string]func(Event) bool{
		"the loss": func(e Event) bool { return e.Lost && e.Tree == s.ID },
	})
	add(t, k, s)
	tree := awaitEnd(t, ends)

	wantState(t, tree, jobs.Succeeded)
	if cause := <-causes; !errors.Is(cause, jobs.ErrLeaseLost) {
		t.Fatalf("the handler of the wiped job: got cause %v, want ErrLeaseLost", cause)
	}
	awaitGone(t, k, s.ID)
	testkit.Eventually(t, "no key of a job or beat to be left", func() bool {
		left := strings.Join(keyspace(t, rdb), " ")
		return !strings.Contains(left, ":j:") && !strings.Contains(left, "beat") && !strings.Contains(left, "{t:")
	})
}

// With messages lost, the beat finds the abort.
func TestWorker_FindsAnAbortWithoutItsMessage(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	q := jobs.NodeQueue("a")
	deaf := aclClient(t, rdb, "deaf", append(NodeACL("a"), "resetchannels"))
	begun := make(chan struct{})
	startWorker(t, deaf, q, map[string]jobs.Handler{"x": func(ctx context.Context, r *jobs.Run) (any, error) {
		close(begun)
		return untilCancelled(ctx, r)
	}})
	s := spec("x", q)
	add(t, k, s)
	<-begun

	err := k.Abort(t.Context(), s.ID, "enough")
	tree := awaitEnd(t, ends)

	if err != nil {
		t.Fatalf("Abort: got %v, want nil", err)
	}
	wantState(t, tree, jobs.Aborted)
}

func TestKeeper_DropsForeignAndBrokenMessages(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	victim, evil := jobs.NodeQueue("victim"), jobs.NodeQueue("evil")
	begun, free := make(chan string, 1), make(chan struct{})
	startWorker(t, rdb, victim, map[string]jobs.Handler{"x": func(context.Context, *jobs.Run) (any, error) {
		begun <- ""
		<-free
		return "true result", nil
	}})
	s := spec("x", victim)
	add(t, k, spec("x", evil))
	add(t, k, s)
	<-begun
	tree, err := k.Tree(t.Context(), s.ID)
	if err != nil {
		t.Fatalf("Tree: %v", err)
	}

	forged := message{Kind: messageDone, Tree: s.ID, Job: s.ID, Lease: tree.Jobs[s.ID].Lease, Outcome: jobs.Outcome{Kind: jobs.OutcomeSucceeded}}
	values, _ := forged.values()
	send(t, rdb, keysOf(evil).out(), values)
	forged.Lease = "guessed"
	late, _ := forged.values()
	send(t, rdb, keysOf(victim).out(), late)
	send(t, rdb, keysOf(victim).out(), []any{"k", "done", "body", "{"})
	testkit.Eventually(t, "the messages to be refused", func() bool {
		return k.Stats().Rejected == 2 && k.Stats().Late == 1
	})
	close(free)
	ended := awaitEnd(t, ends)

	if got := string(ended.Jobs[s.ID].Result); got != `"true result"` {
		t.Fatalf("result: got %s, want the worker's own", got)
	}
	if n := fmt.Sprint(rdb.XLen(t.Context(), keysOf(evil).out()).Val()); n != "0" {
		t.Fatalf("messages left: got %s, want 0", n)
	}
}
