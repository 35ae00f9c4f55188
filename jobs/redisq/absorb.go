package redisq

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/redis/go-redis/v9"

	"aorta/jobs"
)

// absorb applies the messages of one out stream, in order.
func (p *pass) absorb(s redis.XStream) {
	q, ok := queueOfOut(s.Stream)
	for _, e := range s.Messages {
		p.done[s.Stream] = append(p.done[s.Stream], e.ID)
		m, err := parseMessage(e.Values)
		if m.Kind == messageWake && s.Stream == keyWake {
			continue
		}
		if err == nil && !ok {
			err = errors.New("it is on no queue's stream")
		}
		if err != nil {
			p.reject(s.Stream, m, err)
			continue
		}
		p.apply(q, m)
	}
}

func (p *pass) reject(stream string, m message, err error) {
	p.stats.rejected.Add(1)
	if before, ok := p.refused.due(stream, p.now); ok {
		p.opt.Log.Warn("refused a message about a job", "stream", stream, "job", clip(m.Job, 64), "error", clip(err.Error(), maxRefusal), "before", before)
	}
}

// apply accepts a message if its job belongs to the queue that it came from
// and runs under the lease that it names.
func (p *pass) apply(q jobs.Queue, m message) {
	t := p.trees[m.Tree]
	if t == nil || t.Jobs[m.Job] == nil {
		p.tooLate(q, m)
		return
	}
	j := t.Jobs[m.Job]
	if j.Queue != q {
		p.reject(keysOf(q).out(), m, errors.New("the job belongs to another queue"))
		return
	}
	if j.Lease != m.Lease {
		p.tooLate(q, m)
		return
	}
	if j.State != jobs.Ready && j.State != jobs.Running {
		return // said before; an error kept the message from being deleted
	}
	p.touched[t.ID] = t
	switch m.Kind {
	case messageBack:
		_ = t.Unqueue(j.ID, p.now)
	case messageTaken:
		p.start(t, j, m.Worker)
	case messageProgress:
		_ = t.SetProgress(j.ID, m.Progress) // before its start or after its end it says nothing
	case messageGraft:
		p.graft(t, j, m.Graft)
	case messageDone:
		p.advanced = append(p.advanced, j.Kind)
		p.end(t, j, m.Outcome)
	}
}

func (p *pass) tooLate(q jobs.Queue, m message) {
	if m.Kind != messageDone {
		return
	}
	p.stats.late.Add(1)
	if before, ok := p.outdated.due(keysOf(q).out(), p.now); ok {
		p.opt.Log.Info("dropped an outcome under a lease that is over", "queue", q.Owner, "job", clip(m.Job, 64), "before", before)
	}
}

func (p *pass) start(t *tree, j *jobs.Job, worker string) {
	if t.Start(j.ID, worker, p.now) != nil {
		return
	}
	if ls := p.leases[j.ID]; ls != nil {
		ls.running, ls.seen, ls.started = true, p.now, p.now
	}
}

// end applies an outcome. It can't be refused here: the job is ready or running.
func (p *pass) end(t *tree, j *jobs.Job, o jobs.Outcome) {
	_ = t.Finish(j.ID, o, p.policy(j.Kind), p.moment())
}

func (p *pass) moment() jobs.Moment {
	return jobs.Moment{Now: p.now, Luck: rand.Float64()}
}

// graft adds children. A handler that counts on children which are refused must
// not succeed, so a refusal fails the job; a tree that is stopping takes none
// and its handlers are being cancelled anyway.
func (p *pass) graft(t *tree, j *jobs.Job, g graft) {
	if t.Stop != nil {
		return
	}
	err := p.mayGraft(t, j, g)
	if err != nil {
		p.reject(keysOf(j.Queue).out(), message{Job: j.ID}, err)
	} else {
		err = t.Graft(g.Parent, g.Specs, p.now)
	}
	if err == nil {
		return
	}
	if ls := p.leases[j.ID]; ls != nil {
		p.revoked = append(p.revoked, ls)
	}
	p.end(t, j, jobs.Outcome{
		Kind: jobs.OutcomeFailed, Permanent: true,
		Error: "its children were refused: " + clip(err.Error(), maxText),
	})
}

// mayGraft keeps a node from having others work for it.
func (p *pass) mayGraft(t *tree, j *jobs.Job, g graft) error {
	if g.Parent != j.ID && g.Parent != t.ID {
		return errors.New("a job may graft under itself and under the root only")
	}
	for _, s := range g.Specs {
		if !p.opt.MayGraft(j, s) {
			return fmt.Errorf("a job %s on %s may not add a job %.64q on %.80q to its tree", j.Kind, j.Queue.Owner, s.Kind, s.Queue.Owner)
		}
	}
	return nil
}
