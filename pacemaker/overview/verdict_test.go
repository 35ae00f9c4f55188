package overview

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestVerdict_OfAnApp(t *testing.T) {
	t.Parallel()
	now := time.Unix(100_000, 0)
	ago := func(d time.Duration) *time.Time { at := now.Add(-d); return &at }
	running := cluster.Instance{Type: "web", State: cluster.InstanceRunning}
	waits := cluster.Instance{Type: "web", State: cluster.InstanceRunning, Crashing: true, Restarts: 3, Error: "its process exited with code 3"}
	between, once, recovered, drains := waits, waits, waits, waits
	between.Crashing, between.CrashedAt = false, ago(10*time.Second)
	once.Crashing, once.CrashedAt, once.Restarts = false, ago(10*time.Second), 1
	recovered.Crashing, recovered.CrashedAt = false, ago(6*time.Minute)
	drains.State = cluster.InstanceDraining
	first := waits
	first.Restarts, first.Error = 0, ""
	worker := cluster.Instance{Type: "worker", State: cluster.InstanceRunning}
	workerCrashes := waits
	workerCrashes.Type = "worker"
	web := []cluster.ProcessType{{Name: "web"}}
	workers := []cluster.ProcessType{{Name: "worker", Quantity: new(1)}}
	const crashing = "crashing (3 restarts): exited with code 3"
	for name, c := range map[string]struct {
		types     []cluster.ProcessType // of the release that serves; nil before the first
		asked     int                   // of web, or of worker without any web
		instances []cluster.Instance
		stopped   bool
		op        cluster.OperationKind
		failed    bool
		answers   Answers
		want      Verdict
	}{
		"new":               {want: Verdict{AppEmpty, SeverityOK, "not deployed yet"}},
		"first deploy":      {op: cluster.OpDeploy, want: Verdict{AppDeploying, SeverityOK, "being deployed for the first time"}},
		"first failed":      {failed: true, want: Verdict{AppEmpty, SeverityWarn, "not deployed yet: its first deploy failed"}},
		"stopped before":    {stopped: true, want: Verdict{AppStopped, SeverityOK, "stopped"}},
		"stopped":           {types: web, asked: 1, stopped: true, want: Verdict{AppStopped, SeverityOK, "stopped"}},
		"scaled to nothing": {types: web, want: Verdict{AppStopped, SeverityOK, "stopped: scaled to 0"}},
		"serves":            {types: web, asked: 1, instances: []cluster.Instance{running}, want: Verdict{AppServing, SeverityOK, "serving"}},
		"deploys":           {types: web, asked: 1, instances: []cluster.Instance{running}, op: cluster.OpDeploy, want: Verdict{AppDeploying, SeverityOK, "serving"}},
		"down":              {types: web, asked: 1, want: Verdict{AppFailed, SeverityBad, "does not serve: 0 of 1 instances running"}},
		"only workers run":  {types: append(web, workers...), asked: 1, instances: []cluster.Instance{worker}, want: Verdict{AppFailed, SeverityBad, "does not serve: 0 of 1 web instances running"}},
		"web scaled to 0": {
			types: append(web, workers...), instances: []cluster.Instance{worker}, answers: Answers{100, 100},
			want: Verdict{AppRunning, SeverityOK, "no web instance (scaled to 0)"},
		},
		"web scaled to 0, worker crashes": {
			types: append(web, workers...), instances: []cluster.Instance{workerCrashes}, want: Verdict{AppFailed, SeverityBad, crashing},
		},
		"only web crashes": {
			types: append(web, workers...), asked: 1, instances: []cluster.Instance{worker, waits}, want: Verdict{AppFailed, SeverityBad, "does not serve: " + crashing},
		},
		"only web is away, worker crashes": {
			types: append(web, workers...), asked: 1, instances: []cluster.Instance{workerCrashes, worker},
			want: Verdict{AppFailed, SeverityBad, "does not serve: 0 of 1 web instances running"},
		},
		"one of two crashes, the other is away": {
			types: web, asked: 2, instances: []cluster.Instance{waits}, want: Verdict{AppFailed, SeverityBad, "does not serve: 1 of 2 instances " + crashing},
		},
		"comes back":         {types: web, asked: 1, op: cluster.OpScale, want: Verdict{AppDeploying, SeverityOK, "0 of 1 instances running"}},
		"short":              {types: web, asked: 3, instances: []cluster.Instance{running}, want: Verdict{AppServing, SeverityWarn, "1 of 3 instances running"}},
		"scales":             {types: web, asked: 3, instances: []cluster.Instance{running}, op: cluster.OpScale, want: Verdict{AppServing, SeverityOK, "1 of 3 instances running"}},
		"no web":             {types: workers, asked: 1, instances: []cluster.Instance{worker}, want: Verdict{AppRunning, SeverityOK, "no web process"}},
		"no web, down":       {types: workers, asked: 1, want: Verdict{AppFailed, SeverityBad, "0 of 1 instances running"}},
		"waits":              {types: web, asked: 1, instances: []cluster.Instance{waits}, want: Verdict{AppFailed, SeverityBad, "does not serve: " + crashing}},
		"first crash":        {types: web, asked: 1, instances: []cluster.Instance{first}, want: Verdict{AppFailed, SeverityBad, "does not serve: crashing"}},
		"between two":        {types: web, asked: 1, instances: []cluster.Instance{between}, want: Verdict{AppFailed, SeverityBad, "does not serve: " + crashing}},
		"crashes in deploy":  {types: web, asked: 1, instances: []cluster.Instance{between}, op: cluster.OpDeploy, want: Verdict{AppFailed, SeverityBad, "does not serve: " + crashing}},
		"crashes in a scale": {types: web, asked: 1, instances: []cluster.Instance{waits}, op: cluster.OpScale, want: Verdict{AppFailed, SeverityBad, "does not serve: " + crashing}},
		"crashed once":       {types: web, asked: 1, instances: []cluster.Instance{once}, want: Verdict{AppServing, SeverityWarn, "crashing (1 restart): exited with code 3"}},
		"one of two crashes": {types: web, asked: 2, instances: []cluster.Instance{running, waits}, want: Verdict{AppServing, SeverityWarn, "1 of 2 instances " + crashing}},
		"both crash":         {types: web, asked: 2, instances: []cluster.Instance{between, waits}, want: Verdict{AppFailed, SeverityBad, "does not serve: " + crashing}},
		"recovered":          {types: web, asked: 1, instances: []cluster.Instance{recovered}, want: Verdict{AppServing, SeverityOK, "serving"}},
		"the old one drains": {types: web, asked: 1, instances: []cluster.Instance{drains, running}, want: Verdict{AppServing, SeverityOK, "serving"}},
		"most fail": {
			types: web, asked: 1, instances: []cluster.Instance{running}, answers: Answers{100, 98},
			want: Verdict{AppFailed, SeverityBad, "most requests fail: 98 of 100 answered 5xx in the last minute"},
		},
		"most fail in a deploy": {
			types: web, asked: 1, instances: []cluster.Instance{running}, answers: Answers{10, 6}, op: cluster.OpDeploy,
			want: Verdict{AppFailed, SeverityBad, "most requests fail: 6 of 10 answered 5xx in the last minute"},
		},
		"half fail": {
			types: web, asked: 1, instances: []cluster.Instance{running}, answers: Answers{100, 50},
			want: Verdict{AppServing, SeverityWarn, "50 % of requests fail: 50 of 100 answered 5xx in the last minute"},
		},
		"many fail": {
			types: web, asked: 1, instances: []cluster.Instance{running}, answers: Answers{100, 5}, op: cluster.OpDeploy,
			want: Verdict{AppDeploying, SeverityWarn, "5 % of requests fail: 5 of 100 answered 5xx in the last minute"},
		},
		"some fail":            {types: web, asked: 1, instances: []cluster.Instance{running}, answers: Answers{1000, 49}, want: Verdict{AppServing, SeverityOK, "serving"}},
		"few errors":           {types: web, asked: 1, instances: []cluster.Instance{running}, answers: Answers{20, 4}, want: Verdict{AppServing, SeverityOK, "serving"}},
		"too few to tell":      {types: web, asked: 1, instances: []cluster.Instance{running}, answers: Answers{9, 9}, want: Verdict{AppServing, SeverityOK, "serving"}},
		"fails and crashes":    {types: web, asked: 1, instances: []cluster.Instance{between}, answers: Answers{100, 98}, want: Verdict{AppFailed, SeverityBad, "does not serve: " + crashing}},
		"fails and is stopped": {types: web, asked: 1, stopped: true, answers: Answers{100, 100}, want: Verdict{AppStopped, SeverityOK, "stopped"}},
	} {
		var release cluster.Release
		asked := map[string]cluster.Formation{}
		if c.types != nil {
			release = cluster.Release{ID: "r", Number: 1, Processes: c.types}
			asked[c.types[0].Name] = cluster.Formation{Type: c.types[0].Name, Quantity: &c.asked}
		}
		a := App{App: cluster.App{Name: "shop", Stopped: c.stopped}, Answers: c.answers}
		a.Summary = summarize(a.App, release, asked, c.instances, now)
		if c.op != "" {
			a.Operation = &cluster.Operation{Kind: c.op, Turn: &now}
		}

		got := a.judge(c.failed)

		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: - want + got\n%s", name, diff)
		}
	}
}

// looping is an instance whose process ends by itself some seconds after each start, and
// is started again after pauses that grow.
func looping(first, now time.Time) cluster.Instance {
	in := cluster.Instance{Type: "web", State: cluster.InstanceRunning, Error: "its process exited with code 3"}
	started, pause := first, time.Second
	for !now.Before(started.Add(6 * time.Second)) {
		if in.Crashing = now.Before(started.Add(6*time.Second + pause)); in.Crashing {
			break
		}
		started, pause = started.Add(6*time.Second+pause), 2*pause
		in.Restarts, in.CrashedAt = in.Restarts+1, &started
	}
	return in
}

// An app whose instances all crash, each in its turn, does not get well and ill again
// with each restart.
func TestVerdict_OfACrashLoopStays(t *testing.T) {
	t.Parallel()
	begin := time.Unix(100_000, 0)
	release := cluster.Release{ID: "r", Number: 1, Processes: []cluster.ProcessType{{Name: "web", Quantity: new(4)}}}
	down := false
	for after := time.Duration(0); after < 2*time.Minute; after += 250 * time.Millisecond {
		now := begin.Add(after)
		var list []cluster.Instance
		for i := range 4 {
			list = append(list, looping(begin.Add(time.Duration(i)*200*time.Millisecond), now))
		}
		a := App{App: cluster.App{Name: "shop"}}
		a.Summary = summarize(a.App, release, nil, list, now)

		got := a.judge(false)

		down = down || got.Severity == SeverityBad
		if down && got.Severity != SeverityBad {
			t.Fatalf("after %s: got %+v of an app that did not serve before, want it bad for as long as all crash", after, got)
		}
	}
	if !down {
		t.Error("got no verdict that the app does not serve, want one")
	}
}

// One that is started again and again is never well in between, whoever asks, and
// a restart of the pacemaker changes nothing about that.
func TestVerdict_RemembersCrashesForMinutes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	node := r.joined("n1", cluster.RoleHeart)
	app := r.App("shop")
	id := r.Instance(r.Deploy(app), "web", node)
	status := cluster.InstanceStatus{ID: id, State: cluster.InstanceRunning}
	report := func(crashing bool, restarts int) {
		started := r.Clock.Now()
		status.Crashing, status.Restarts, status.StartedAt, status.Error = crashing, restarts, &started, "its process exited with code 3"
		r.Reported(node, status)
	}
	says := func(want Severity, text string) {
		t.Helper()
		one, err := r.overview.App(t.Context(), app)
		testkit.Must(t, err)
		list, err := r.overview.Instances(t.Context(), app)
		testkit.Must(t, err)
		all := only(t, r.snapshot())
		if one.Verdict != all.Verdict || one.Severity != want || one.Text != text {
			t.Errorf("got %+v, and of all %+v; want %s: %s", one.Verdict, all.Verdict, want, text)
		}
		if bad := want != SeverityOK; len(list) != 1 || list[0].Crashes != bad || bad && !strings.HasPrefix(list[0].Text, strings.TrimPrefix(text, "does not serve: ")) {
			t.Errorf("got instances %+v, want one with %q", list, text)
		}
	}
	for restarts := range 4 {
		report(true, restarts)
		r.Clock.Forward(4 * time.Second)
		report(false, restarts+1)
		r.Clock.Forward(20 * time.Second)
	}
	r.hears(node)

	says(SeverityBad, "does not serve: crashing (4 restarts): exited with code 3")
	r.Clock.Forward(4 * time.Minute)
	r.hears(node)
	says(SeverityBad, "does not serve: crashing (4 restarts): exited with code 3")
	r.Clock.Forward(time.Minute)
	r.hears(node)
	says(SeverityOK, "serving")
	report(true, 4)
	says(SeverityBad, "does not serve: crashing (4 restarts): exited with code 3")
	r.Clock.Forward(time.Second)
	report(false, 4) // started with its node, which somebody had stopped
	says(SeverityOK, "serving")
}

// Concerns say the same as the verdict, with the next step.
func TestConcerns_SayWhatTheVerdictSays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	node := r.joined("n1", cluster.RoleHeart)
	app := r.App("shop")
	release := r.Deploy(app)
	id := r.Instance(release, "web", node)
	r.Reported(node, cluster.InstanceStatus{ID: id, State: cluster.InstanceRunning})
	r.answers = map[cluster.ID]Answers{release.ID: {Requests: 100, Errors: 98}}

	concerns := r.snapshot().Concerns()
	after := r.Deploy(app)
	r.Instance(after, "web", node)
	mended := r.snapshot().Concerns()

	want := "shop: most requests fail: 98 of 100 answered 5xx in the last minute (see aorta logs -a shop)."
	if len(concerns) != 1 || concerns[0].Severity != SeverityBad || concerns[0].Text != want {
		t.Errorf("got %+v, want %q", concerns, want)
	}
	if len(mended) != 0 {
		t.Errorf("got %+v of the release after it, want none: what the former one answered is not its fault", mended)
	}
}

// Who stops a whole node and starts it again hears of no crash, not while its
// instances come back and not afterwards, however many reports tell of that.
func TestVerdict_TakesNoStoppedNodeForACrash(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	node := r.joined("n1", cluster.RoleHeart)
	app := r.App("shop")
	id := r.Instance(r.Deploy(app), "web", node)
	before, after := r.Clock.Now(), r.Clock.Now().Add(time.Minute)
	report := func(crashing bool, started time.Time, why string) {
		r.Reported(node, cluster.InstanceStatus{ID: id, State: cluster.InstanceRunning, Crashing: crashing, StartedAt: &started, Error: why})
		r.Clock.Forward(time.Second)
	}
	says := func(severity Severity, verdict, instance string) {
		t.Helper()
		app := only(t, r.snapshot())
		list, err := r.overview.Instances(t.Context(), app.App)
		testkit.Must(t, err)
		if app.Severity != severity || app.Text != verdict || len(app.Crashing) != 0 || list[0].Crashes || list[0].Text != instance {
			t.Errorf("got %+v, %d crashing, and of the instance %q; want %q and %q", app.Verdict, len(app.Crashing), list[0].Text, verdict, instance)
		}
	}
	report(false, before, "")

	report(true, before, cluster.StoppedWithNode)
	says(SeverityBad, "does not serve: 0 of 1 instances running", "starting again: it was stopped with its node")
	report(true, after, cluster.StoppedWithNode) // it runs, and is not healthy yet
	says(SeverityBad, "does not serve: 0 of 1 instances running", "starting again: it was stopped with its node")
	report(false, after, "")
	says(SeverityOK, "serving", "running, restarted after: it was stopped with its node")
}
