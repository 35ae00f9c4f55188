// Package following shows people operations: as they stand, and as they go on,
// job by job and line by line, from Redis while they are open and from the
// archive afterwards. It changes nothing.
package following

import (
	"context"
	"maps"
	"time"

	"aorta/internal/broadcast"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/steps"
	"aorta/pacemaker/store"
)

// Jobs is where the trees of open operations are read.
type Jobs interface {
	// Tree gives jobs.ErrNotFound for a tree that is not there.
	Tree(ctx context.Context, id string) (*jobs.Tree, error)
	// Log gives the lines of a job's log after the cursor.
	Log(ctx context.Context, job, after string) ([]Line, error)
	// Watch sends changes until ctx ends. Events only wake: whoever watches
	// reads again what matters.
	Watch(ctx context.Context) <-chan Event
}

// Line is one line of a job's log. Cursor asks for what comes after it.
type Line struct {
	Cursor string
	Time   time.Time
	Text   string
}

// Event says that a tree has changed, or that a job has new log lines. An empty
// one says that anything may have.
type Event struct {
	Tree string
	Log  string // id of the job
}

// concerns says whether the event may be about the tree.
func (e Event) concerns(t *jobs.Tree) bool {
	switch {
	case e.Log != "":
		return t != nil && t.Jobs[e.Log] != nil
	case e.Tree != "":
		return t == nil || e.Tree == t.ID
	}
	return true
}

// Config is what following needs.
type Config struct {
	Store   *store.Store
	Jobs    Jobs
	Written *broadcast.Signal // SQL has changed
	Now     func() time.Time
}

// Following reads operations for people. Make it with New.
type Following struct{ cfg Config }

// New makes it; it starts nothing.
func New(cfg Config) *Following { return &Following{cfg} }

// Update is one thing that happened to an operation: a job changed, a step
// changed, a job logged a line, or the operation ended. One of the four is set, or
// none in an update that only says that nothing has happened for a while.
type Update struct {
	Job      *jobs.Job
	Waits    *cluster.Operation // with the root job: whose end it waits for
	Step     *steps.Step        // without its lines, which come one by one
	Line     *Line              // of the job LineOf
	LineOf   string
	Position Position // after the line
	End      *cluster.Operation
}

// quietFor is the longest that Follow sends nothing.
const quietFor = 15 * time.Second

// Follow emits what happens to an operation until it has ended, beginning with
// all of its jobs as they are and the log lines after the position. It reads the
// truth again on each wake-up, so nothing is missed while Redis is away.
func (o *Following) Follow(ctx context.Context, id cluster.ID, after Position, emit func(Update) error) error {
	f := follower{from: o, id: id, emit: emit, jobs: map[string]jobs.Job{}, steps: map[string]steps.Step{}, position: after, sent: o.cfg.Now()}
	f.position.jobs = maps.Clone(after.jobs)
	if f.position.jobs == nil {
		f.position.jobs = map[string]string{}
	}
	watchCtx, stop := context.WithCancel(ctx)
	defer stop()
	events := o.cfg.Jobs.Watch(watchCtx)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		changed := o.cfg.Written.C()
		ended, err := f.poll(ctx)
		if err != nil || ended {
			return err
		}
		if err := f.wait(ctx, events, changed, tick.C); err != nil {
			return err
		}
	}
}
