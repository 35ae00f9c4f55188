package rig

import (
	"fmt"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/following"
)

// Work is an operation with the logs of two of its jobs.
type Work struct {
	r     *Rig
	Op    cluster.Operation
	Jobs  [2]string
	Wrote []string
}

// NewWork begins a deploy and waits for its tree.
func (r *Rig) NewWork() *Work {
	r.TB.Helper()
	app, err := r.Pace.CreateApp(r.TB.Context(), "a"+cluster.NewID().Short(), "admin")
	testkit.Must(r.TB, err)
	op, err := r.Pace.DeployImage(r.TB.Context(), app, "img:1", "", "admin")
	testkit.Must(r.TB, err)
	w := &Work{r: r, Op: op, Jobs: [2]string{string(cluster.DeriveID(op.ID, cluster.JobBuild, 0)), string(cluster.DeriveID(op.ID, cluster.JobPlace, 0))}}
	testkit.Eventually(r.TB, "the tree to be planted", func() bool {
		_, err := r.Jobs.Tree(r.TB.Context(), string(op.ID))
		return err == nil
	})
	r.Jobs.Change(func() {
		for _, id := range w.Jobs {
			r.Jobs.Trees[string(op.ID)].Jobs[id].Attempt = 1
		}
	})
	return w
}

// Write adds a line to the log of a job, at a millisecond.
func (w *Work) Write(job, ms, seq int) {
	w.r.Jobs.Change(func() {
		text := fmt.Sprintf("job %d at %d-%d", job, ms, seq)
		w.Wrote = append(w.Wrote, text)
		id := w.Jobs[job]
		w.r.Jobs.Logs[id] = append(w.r.Jobs.Logs[id], following.Line{Cursor: fmt.Sprintf("%d-%d", ms, seq), Time: time.UnixMilli(int64(ms)), Text: text})
	})
}

// End ends the operation and its tree.
func (w *Work) End() {
	w.r.TB.Helper()
	tree, err := w.r.Jobs.Tree(w.r.TB.Context(), string(w.Op.ID))
	testkit.Must(w.r.TB, err)
	tree.State, tree.Jobs[tree.ID].State = jobs.Succeeded, jobs.Succeeded
	testkit.Must(w.r.TB, w.r.Pace.TreeEnded(w.r.TB.Context(), tree))
	w.r.Jobs.Change(func() { delete(w.r.Jobs.Trees, tree.ID) })
}

// Path is where its tree is followed.
func (w *Work) Path() string { return "/jobs/" + string(w.Op.ID) + "/events" }

// Phases write lines in rounds: within one the jobs' clocks run side by side,
// and the one that is read first has the later lines.
var Phases = [][][3]int{
	{{0, 100, 0}, {0, 101, 0}, {1, 90, 0}, {1, 101, 0}},
	{{1, 101, 1}, {0, 101, 1}, {0, 101, 2}},
	{{0, 105, 0}, {1, 102, 0}},
	{{1, 105, 0}, {1, 105, 1}, {0, 110, 0}},
}
