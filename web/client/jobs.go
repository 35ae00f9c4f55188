package client

import (
	"context"
	"iter"
	"net/url"

	"aorta/web/wire"
)

// The states of a job, as wire.Job spells them.
const (
	JobWaiting   = "waiting"
	JobReady     = "ready"
	JobRunning   = "running"
	JobSucceeded = "succeeded"
	JobFailed    = "failed"
	JobAborted   = "aborted"
)

// JobEnded says that a job of that state will change no more.
func JobEnded(state string) bool {
	return state == JobSucceeded || state == JobFailed || state == JobAborted
}

// Who a job may be by.
const (
	ByPeople = "people"
	ByAorta  = "aorta" // what it began by itself
)

// JobQuery narrows the list of jobs down. Empty values leave it open.
type JobQuery struct {
	App       string // name, or the start of the id of one that was destroyed
	Kind      string
	State     string // open, or how it ended
	Since     string // asked for then or later: an RFC 3339 time, or a duration before now
	Until     string // asked for before, likewise
	Attention bool   // only failed jobs that need attention
	Uncaused  bool   // leave out what another job has caused, unless it failed
	By        string // ByPeople, ByAorta
}

func (q JobQuery) values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"app": q.App, "kind": q.Kind, "state": q.State, "since": q.Since, "until": q.Until, "by": q.By} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Attention {
		v.Set("attention", "true")
	}
	if q.Uncaused {
		v.Set("uncaused", "true")
	}
	return v
}

// Jobs are the roots of job trees, the newest first.
func (c *Client) Jobs(ctx context.Context, q JobQuery) iter.Seq2[wire.Job, error] {
	return items[wire.Job](ctx, c, q.values(), "jobs")
}

// Job is one job with the tree below it.
func (c *Client) Job(ctx context.Context, id string) (wire.Job, error) {
	return get[wire.Job](ctx, c, nil, "jobs", id)
}

// JobLog is what all jobs of a tree wrote, the oldest line first.
func (c *Client) JobLog(ctx context.Context, id string) ([]wire.JobLogLine, error) {
	return whole[wire.JobLogLine](ctx, c, nil, "jobs", id, "log")
}

// AbortJob asks a job tree to end; its clean-up still runs.
func (c *Client) AbortJob(ctx context.Context, id string) (wire.Accepted, error) {
	return write[wire.Accepted](ctx, c, input{}, "jobs", id, "abort")
}

// RetryJob asks for a new job that does what one was asked to do that failed or
// was aborted.
func (c *Client) RetryJob(ctx context.Context, id string) (wire.Accepted, error) {
	return write[wire.Accepted](ctx, c, input{}, "jobs", id, "retry")
}

// DiscardJob discards a job that failed or was aborted: it can't be retried any
// more and needs no attention.
func (c *Client) DiscardJob(ctx context.Context, id string) (wire.Job, error) {
	return write[wire.Job](ctx, c, input{}, "jobs", id, "discard")
}

// JobFeed takes what a followed tree brings, on one goroutine. After a cut
// connection every job comes again as it is by then.
type JobFeed struct {
	Job  func(wire.Job)  // without its children
	Step func(wire.Step) // without its lines; may be nil
	Log  func(wire.JobLogLine)
}

// FollowJob brings a tree's changes until its root has ended, across cut
// connections, and gives that root.
func (c *Client) FollowJob(ctx context.Context, id string, feed JobFeed) (wire.Job, error) {
	p, err := path("jobs", id, "events")
	if err != nil {
		return wire.Job{}, err
	}
	var root wire.Job
	// The work was accepted; a pacemaker that is away just now comes back to it.
	s := &stream{c: c, path: p, patient: true}
	s.handle = func(e event) (bool, error) {
		switch e.Name {
		case "job":
			var j wire.Job
			if err := decode(c, e, &j); err != nil {
				return true, err
			}
			feed.Job(j)
		case "step":
			var step wire.Step
			if err := decode(c, e, &step); err != nil {
				return true, err
			}
			if feed.Step != nil {
				feed.Step(step)
			}
		case "log":
			var l wire.JobLogLine
			if err := decode(c, e, &l); err != nil {
				return true, err
			}
			feed.Log(l)
		case "end":
			return true, decode(c, e, &root)
		}
		return false, nil
	}
	err = s.run(ctx)
	return root, err
}
