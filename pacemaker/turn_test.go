package pacemaker

import (
	"context"
	"slices"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// What needs no build waits for none.
func TestReconcile_ABuildHoldsNothingUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	n := r.newNode("n1", cluster.RoleHeart)
	release := r.Deploy(app)
	in := r.Instance(release, "web", n)
	deploy := r.BeginDeploy(app, "img:2")
	restart, err := r.Restart(t.Context(), app, "", "ann")
	testkit.Must(t, err)
	rollout, _, err := r.ChangeConfig(t.Context(), app, map[string]string{"A": "1"}, nil, "ann")
	testkit.Must(t, err)
	next := r.BeginDeploy(app, "img:3")

	first := r.round()
	r.End(restart.ID)
	second := r.round()
	r.End(rollout.ID)
	r.Lose(n, in)
	r.Clock.Forward(10 * time.Second) // what fails is not replaced at once
	r.report(n)
	r.round()
	replaces := r.open(cluster.OpReplace)
	r.End(deploy.ID)
	third := r.round()

	slices.Sort(first)
	if want := []string{string(deploy.ID), string(restart.ID)}; !slices.Equal(first, want) || !slices.Equal(second, []string{string(rollout.ID)}) {
		t.Errorf("got %v, then %v; want %v, then the config var", first, second, want)
	}
	if len(replaces) != 1 {
		t.Errorf("got %d replacements of what is lost during a build, want one", len(replaces))
	}
	if !slices.Contains(third, string(next.ID)) {
		t.Errorf("got %v once the deploy had ended, want the next one", third)
	}
}

// awaitsTurn has a built deploy wait for its turn.
func (r *rig) awaitsTurn(op cluster.Operation) <-chan error {
	r.TB.Helper()
	done := make(chan error, 1)
	job := jobs.Job{ID: "turn", Tree: string(op.ID), Kind: cluster.JobTurn, Args: encoded(cluster.OperationArgs{Operation: op.ID})}
	go func() { // ends with the turn or the test
		_, err := r.Handlers()[cluster.JobTurn](r.TB.Context(), jobs.NewRun(job, 1, &grafts{}))
		done <- err
	}()
	return done
}

// A built deploy goes after what is at work and before what comes later, and its
// release has what those in front of it have left.
func TestAwaitTurn_BetweenWhatIsThereAndWhatComes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	r.Deploy(app)
	change := func(value string) cluster.Operation {
		op, _, err := r.ChangeConfig(t.Context(), app, map[string]string{"A": value}, nil, "ann")
		testkit.Must(t, err)
		return op
	}
	deploy := r.BeginDeploy(app, "img:2")
	before := change("before")
	r.round()

	done := r.awaitsTurn(deploy)
	testkit.Eventually(t, "the deploy takes its turn", func() bool { return r.reread(deploy).Turn != nil })
	after := change("after")
	held := r.round()
	r.End(before.ID)
	r.announce(app.ID)
	testkit.Must(t, testkit.Receive(t, "the deploy's turn", done))
	vars := r.configOf(deploy)
	r.End(deploy.ID)
	then := r.round()

	if len(held) != 0 || !slices.Equal(then, []string{string(after.ID)}) {
		t.Errorf("got %v while the deploy waited and %v after it, want none, then the later change", held, then)
	}
	if vars["A"] != "before" {
		t.Errorf("got A=%s in the deploy's release, want the one of before its turn", vars["A"])
	}
}

// A clock that was set back puts nothing in front of what is at work.
func TestAwaitTurn_ComesBehindWhatTheClockSays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	r.Deploy(app)
	deploy := r.BeginDeploy(app, "img:2")
	restart := r.Begin(app, cluster.OpRestart, cluster.Request{})
	r.Clock.Forward(-3600e9)

	late, err := r.store.TakeTurn(t.Context(), deploy.ID)
	testkit.Must(t, err)
	scale := r.reread(r.Begin(app, cluster.OpScale, cluster.Request{}))

	open, err := r.store.OpenOperationsOf(t.Context(), app.ID)
	testkit.Must(t, err)
	if first := cluster.Ahead(open, late); first == nil || first.ID != restart.ID {
		t.Errorf("got the deploy behind %+v, want behind the restart", first)
	}
	if !scale.Turn.After(*late.Turn) {
		t.Errorf("got the scale's turn at %s, want it after the deploy's at %s", scale.Turn, late.Turn)
	}
}

func (r *rig) reread(op cluster.Operation) cluster.Operation {
	r.TB.Helper()
	op, err := r.store.Operation(context.Background(), op.ID)
	testkit.Must(r.TB, err)
	return op
}

// configOf makes the release of a deploy and gives its config vars.
func (r *rig) configOf(op cluster.Operation) map[string]string {
	r.TB.Helper()
	req, err := op.Request()
	testkit.Must(r.TB, err)
	testkit.Must(r.TB, r.store.EndBuild(r.TB.Context(), req.Build, cluster.BuildResult{State: cluster.BuildReady, Image: cluster.Image{ID: "sha256:2"}, Processes: []cluster.ProcessType{{Name: "web"}}}))
	build, err := r.store.Build(r.TB.Context(), req.Build)
	testkit.Must(r.TB, err)
	release, err := r.store.CreateRelease(r.TB.Context(), store.NewRelease{Operation: op, Build: build, Cause: "deploy"})
	testkit.Must(r.TB, err)
	vars, err := r.store.ReleaseConfig(r.TB.Context(), release.ID)
	testkit.Must(r.TB, err)
	return vars
}
