package steps_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/steps"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// at is a moment of a test, in seconds.
func at(s float64) time.Time { return noon.Add(time.Duration(s * float64(time.Second))) }

// job is one of a tree, with the seconds at which it began and ended; 0: it has not.
func job(id, parent, kind, title string, state jobs.State, from, to float64) *jobs.Job {
	j := &jobs.Job{ID: id, Tree: "r", Parent: parent, Kind: kind, Title: title, State: state}
	if from > 0 {
		j.Started, j.Attempt = at(from), 1
	}
	if to > 0 {
		j.Ended = at(to)
	}
	return j
}

// about makes a job one of an instance.
func about(instance string, j *jobs.Job) *jobs.Job {
	j.Args, _ = json.Marshal(cluster.InstanceArgs{Operation: "op", Instance: cluster.ID(instance)})
	return j
}

func tree(list ...*jobs.Job) *jobs.Tree {
	t := &jobs.Tree{ID: "r", State: jobs.Running, Jobs: map[string]*jobs.Job{}}
	for _, j := range list {
		t.Jobs[j.ID] = j
	}
	return t
}

// deploying is the tree of a deploy of which one of two instances runs.
func deploying() *jobs.Tree {
	return tree(
		job("r", "", cluster.JobDeploy, "Deploy 1a2b to shop", jobs.Waiting, 0, 0),
		job("p", "r", cluster.JobPublish, "Publish the routes", jobs.Waiting, 0, 0),
		job("s", "p", cluster.JobPlace, "Start instances", jobs.Waiting, 5, 0),
		job("m", "s", cluster.JobRelease, "Make the release", jobs.Succeeded, 4, 5),
		job("b", "m", cluster.JobBuild, "Build the image", jobs.Succeeded, 1, 4),
		about("one", job("i1", "s", cluster.JobInstanceStart, "Start web.1 on n1", jobs.Succeeded, 6, 7)),
		about("two", job("i2", "s", cluster.JobInstanceStart, "Start web.2 on n2", jobs.Running, 6, 0)),
	)
}

// drawn is steps as text, lines indented.
func drawn(list []steps.Step) string {
	var b strings.Builder
	for _, s := range steps.Flat(list) {
		indent := ""
		if s.Parent != "" {
			indent = "  "
		}
		fmt.Fprintf(&b, "%s%s\n", indent, s.Text(at(10), steps.Plain))
	}
	return b.String()
}

func wantDrawn(t *testing.T, list []steps.Step, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimLeft(want, "\n"), drawn(list)); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestOf_StepsComeInTheOrderInWhichTheyHappen(t *testing.T) {
	wantDrawn(t, steps.Of(cluster.OpDeploy, deploying()), `
✓ Build  3.0s
✓ Release  1.0s
▸ Start  5.0s  1/2
  ✓ web.1 on n1  1.0s
  ▸ web.2 on n2  4.0s
· Publish
`)
}

func TestOf_AFailureIsOfItsLineAndWhatNeverBeganIsSkipped(t *testing.T) {
	d := deploying()
	d.State, d.Stop = jobs.Failed, &jobs.Stop{State: jobs.Failed, Job: "i2"}
	d.Jobs["i2"].State, d.Jobs["i2"].Error, d.Jobs["i2"].Ended = jobs.Failed, "web.2 on n2: it exited", at(8)
	for _, id := range []string{"s", "p", "r"} {
		d.Jobs[id].State, d.Jobs[id].Error, d.Jobs[id].Ended = jobs.Aborted, `"Start web.2 on n2" failed`, at(8)
	}

	list := steps.Of(cluster.OpDeploy, d)

	wantDrawn(t, list, `
✓ Build  3.0s
✓ Release  1.0s
✗ Start  3.0s
  ✓ web.1 on n1  1.0s
  ✗ web.2 on n2  2.0s
– Publish  skipped
`)
	step, line, found := steps.Culprit(list)
	if !found || step.Name != "Start" || step.Error != "" || line.Name != "web.2 on n2" || line.Error != "it exited" {
		t.Errorf("got %+v in %+v, want web.2 with its error, without its name, and the step with none", line, step)
	}
}

// An instance whose node died is replaced: its line says by what, and it counts no more.
func TestOf_WhatWasPlacedAnewSaysWhatTakesItsPlace(t *testing.T) {
	d := deploying()
	superseded := d.Jobs["i2"]
	superseded.State, superseded.Error, superseded.Ended = jobs.Superseded, "node n2 is dead", at(8)
	anew := about("two", job("a", "s", cluster.JobPlaceAnew, "Place web.2 anew: node n2 is dead", jobs.Ready, 0, 0))
	d.Jobs["a"] = anew

	wantDrawn(t, steps.Of(cluster.OpDeploy, d), `
✓ Build  3.0s
✓ Release  1.0s
▸ Start  5.0s  1/2
  ✓ web.1 on n1  1.0s
  ▸ web.2 on n2  4.0s  node n2 is dead: another one is placed
· Publish
`)

	anew.State, anew.HandlerDone, anew.Started = jobs.Waiting, true, at(8)
	d.Jobs["i3"] = about("zwei", job("i3", "a", cluster.JobInstanceStart, "Start web.3 on n1", jobs.Running, 9, 0))

	wantDrawn(t, steps.Of(cluster.OpDeploy, d), `
✓ Build  3.0s
✓ Release  1.0s
▸ Start  5.0s  1/2
  ✓ web.1 on n1  1.0s
  – web.2 on n2  2.0s  replaced: node n2 is dead, web.3 on n1 takes its place
  ▸ web.3 on n1  1.0s
· Publish
`)
}

func TestOf_OneLineIsAllOfAnInstance(t *testing.T) {
	stops := tree(
		job("r", "", cluster.JobFinish, "Stop 2 instances of shop", jobs.Waiting, 0, 0),
		about("one", job("s1", "r", cluster.JobInstanceStop, "Stop web.1", jobs.Running, 3, 0)),
		about("one", job("d1", "s1", cluster.JobDrain, "Drain web.1", jobs.Succeeded, 1, 3)),
		about("two", job("s2", "r", cluster.JobInstanceStop, "Stop web.2", jobs.Waiting, 0, 0)),
		about("two", job("d2", "s2", cluster.JobDrain, "Drain web.2", jobs.Running, 1, 0)),
	)

	list := steps.Of(cluster.OpRetire, stops)

	wantDrawn(t, list, `
▸ Drain  9.0s  0/2
  ▸ web.1  9.0s
  ▸ web.2  9.0s
`)
	if got := list[0].Children[0].Jobs; !cmp.Equal(got, []string{"d1", "s1"}) {
		t.Errorf("got the jobs %v, want drain and stop", got)
	}
}

func TestOf_WhatItCausedJoinsIt(t *testing.T) {
	d := deploying()
	stops := tree(about("old", job("x", "r", cluster.JobInstanceStop, "Stop web.0", jobs.Succeeded, 8, 9)))

	list := steps.Of(cluster.OpDeploy, d, stops)

	if last := list[len(list)-1]; last.Name != "Drain" || len(last.Children) != 1 || last.Children[0].Name != "web.0" {
		t.Errorf("got %+v last, want the drain of web.0", last)
	}
}

func TestOf_AnImageThatIsBuiltAgainIsALineOfTheStart(t *testing.T) {
	d := deploying()
	d.Jobs["w"] = job("w", "i2", cluster.JobStart, "Start v2 on n2 from the new image", jobs.Waiting, 0, 0)
	d.Jobs["a"] = job("a", "w", cluster.JobBuild, "Build v2 again: its image is gone from n2", jobs.Running, 7, 0)

	wantDrawn(t, steps.Of(cluster.OpDeploy, d), `
✓ Build  3.0s
✓ Release  1.0s
▸ Start  5.0s  1/3
  ▸ Build v2 again: its image is gone from n2  3.0s
  ✓ web.1 on n1  1.0s
  ▸ web.2 on n2  4.0s
· Publish
`)
}

// A stop starts nothing, and says so by what it shows.
func TestOf_AStopHasNoStart(t *testing.T) {
	stop := tree(
		job("r", "", cluster.JobDeploy, "Stop shop", jobs.Waiting, 0, 0),
		job("p", "r", cluster.JobPublish, "Publish the routes", jobs.Running, 3, 0),
		job("s", "p", cluster.JobPlace, "Start instances", jobs.Succeeded, 1, 2),
	)

	wantDrawn(t, steps.Of(cluster.OpStop, stop), "▸ Publish  9.0s\n")
}

func TestOf_EveryKindOfJobOfAnOperationHasItsStep(t *testing.T) {
	for _, kind := range []string{
		cluster.JobBuild, cluster.JobRelease, cluster.JobPlace, cluster.JobInstanceStart, cluster.JobStart, cluster.JobPublish,
		cluster.JobDeploy, cluster.JobDrain, cluster.JobInstanceStop, cluster.JobDestroy, cluster.JobImagePrune,
	} {
		list := steps.Of(cluster.OpDeploy, tree(job("r", "", kind, "Title", jobs.Running, 1, 0)))

		if len(list) != 1 || list[0].Name == "Title" {
			t.Errorf("%s: got %+v, want a step with a name of its own", kind, list)
		}
	}
	list := steps.Of(cluster.OpDeploy, tree(job("r", "", "later", "Something new", jobs.Running, 1, 0)))
	if len(list) != 1 || list[0].Name != "Something new" {
		t.Errorf("got %+v for a kind of a later version, want its title", list)
	}
}
