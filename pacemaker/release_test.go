package pacemaker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// asking brings a deploy to traffic with a source whose aorta.yml asks for a time
// limit of requests, 0 for none.
func (r *rig) asking(op cluster.Operation, timeout time.Duration) {
	r.TB.Helper()
	var result cluster.BuildResult
	if timeout > 0 {
		result.Route.Timeout = &timeout
	}
	r.deployed(op, result)
}

// deployed brings a deploy to traffic with what its source asks for.
func (r *rig) deployed(op cluster.Operation, result cluster.BuildResult) {
	r.TB.Helper()
	r.built(op, result)
	r.promoted(op)
}

// built ends the build of a deploy with what its source asks for.
func (r *rig) built(op cluster.Operation, result cluster.BuildResult) {
	r.TB.Helper()
	result.State, result.Image, result.Processes = cluster.BuildReady, cluster.Image{ID: "sha256:1"}, []cluster.ProcessType{{Name: "web"}}
	testkit.Must(r.TB, r.store.EndBuild(r.TB.Context(), mustArgs(r.TB, op).Build, result))
}

// promoted brings what has a build to traffic, with all that it asks for.
func (r *rig) promoted(op cluster.Operation) {
	r.TB.Helper()
	r.released(op)
	w, err := r.work(r.TB.Context(), op.ID)
	testkit.Must(r.TB, err)
	testkit.Must(r.TB, r.setTarget(r.TB.Context(), &w))
	promotion, err := r.promotion(r.TB.Context(), w)
	testkit.Must(r.TB, err)
	testkit.Must(r.TB, r.store.Promote(r.TB.Context(), promotion))
	r.step(cluster.JobDeploy, op)
	r.finish(op, jobs.Succeeded)
}

// What an aorta.yml has no more is what the one that served last had, whichever
// was built last.
func TestRelease_TakesBackWhatTheOneBeforeAskedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	repo := r.repoOf(app)
	one := repo.Commit("one")
	two := repo.Commit("two", one)
	three := repo.Commit("three", two)
	want := func(when string, timeout time.Duration) {
		t.Helper()
		now, err := r.store.AppByID(t.Context(), app.ID)
		if err != nil || now.Requests.Timeout != timeout {
			t.Errorf("%s: got the time limit %s, %v, want %s", when, now.Requests.Timeout, err, timeout)
		}
	}

	r.asking(r.pushed(app, "", one), time.Minute)
	want("v1 asks for it", time.Minute)
	r.asking(r.pushed(app, one, two), 0)
	want("v2 does not", 0)
	image, err := r.DeployImage(t.Context(), app, "img:1", "", "ann")
	testkit.Must(t, err)
	r.promoted(image)
	back, err := r.Rollback(t.Context(), app, Rollback{Number: 1}, "ann")
	testkit.Must(t, err)
	r.promoted(back)
	want("back to v1", time.Minute)
	r.asking(r.pushed(app, one, three), 0)

	want("a deploy after that does not ask for it", 0)
}

// What a person has set counts more than what aorta.yml asks for, until it is taken
// back.
func TestRelease_LeavesTheLimitsThatAPersonSet(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	repo := r.repoOf(app)
	one := repo.Commit("one")
	two := repo.Commit("two", one)
	three := repo.Commit("three", two)
	by, none := 2*time.Minute, time.Duration(0)
	want := func(when string, timeout time.Duration) {
		t.Helper()
		now, err := r.store.AppByID(t.Context(), app.ID)
		if err != nil || now.Requests.Timeout != timeout {
			t.Errorf("%s: got the time limit %s, %v, want %s", when, now.Requests.Timeout, err, timeout)
		}
	}
	set := func(timeout *time.Duration) {
		t.Helper()
		_, err := r.ChangeRequestLimits(t.Context(), app, cluster.RequestLimitsChange{Timeout: timeout}, "ann")
		testkit.Must(t, err)
	}

	r.asking(r.pushed(app, "", one), time.Minute)
	set(&by)
	r.asking(r.pushed(app, one, two), time.Second)
	want("set by ann, and v2 asks for another", by)
	set(&none)
	want("ann takes hers back", time.Second)
	r.asking(r.pushed(app, two, three), time.Hour)
	want("v3 asks for another", time.Hour)
}

// A domain that aorta.yml has no more goes with the deploy, which says so. One that
// a person added stays, whatever the file says.
func TestRelease_TakesBackTheDomainsOfTheFile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	repo := r.repoOf(app)
	one := repo.Commit("one")
	two := repo.Commit("two", one)
	want := func(when string, hosts ...string) {
		t.Helper()
		list, err := r.store.Domains(t.Context(), app.ID)
		testkit.Must(t, err)
		var got []string
		for _, d := range list[1:] { // behind its own
			got = append(got, fmt.Sprintf("%s %t", d.Host, d.OfSource))
		}
		if !slices.Equal(got, hosts) {
			t.Errorf("%s: got %q, want %q", when, got, hosts)
		}
	}
	add := func(host string) {
		t.Helper()
		_, err := r.AddDomain(t.Context(), app, host, "ann")
		testkit.Must(t, err)
	}

	add("hand.example")
	r.deployed(r.pushed(app, "", one), cluster.BuildResult{Domains: []string{"file.example", "hand.example", "kept.example", "old.example"}})
	want("v1", "file.example true", "hand.example false", "kept.example true", "old.example true")
	add("kept.example")
	second := r.pushed(app, one, two)
	r.built(second, cluster.BuildResult{Domains: []string{"file.example"}})
	said := r.step(cluster.JobRelease, second)
	r.promoted(second)

	want("v2, which asks for one of them", "file.example true", "hand.example false", "kept.example false")
	if _, err := r.AddDomain(t.Context(), app, "kept.example", "ann"); cluster.CodeOf(err) != cluster.CodeConflict {
		t.Errorf("added twice by hand: got %v, want a conflict", err)
	}
	if !strings.Contains(said, "notice: aorta.yml has no domain old.example any more: it goes") || strings.Contains(said, "kept.example") {
		t.Errorf("got %q, want it to tell of old.example", said)
	}
}
