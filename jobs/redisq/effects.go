package redisq

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/redis/go-redis/v9"

	"aorta/jobs"
)

// effects does what follows from written trees: ends revoked leases, queues
// jobs, cancels what a stopped tree still runs, and deletes the messages that
// were worked in. Jobs that could be taken back from their queue need another
// pass.
func (p *pass) effects(ctx context.Context) (*pass, error) {
	pipe := p.rdb.Pipeline()
	for _, ls := range p.revoked {
		p.late[ls.queue] = p.now.Add(lateBeats * p.opt.LeaseTTL)
		if t := p.trees[ls.tree]; t != nil {
			p.settle(ctx, pipe, t.Jobs[ls.job], "")
		}
	}
	queued := map[*lease]*redis.Cmd{}
	for _, ls := range p.queueing {
		if cmd := p.queue(ctx, pipe, ls); cmd != nil {
			queued[ls] = cmd
		}
	}
	cancels := p.cancel(ctx, pipe)
	for stream, ids := range p.done {
		absorbedScript.EvalSha(ctx, pipe, []string{ownerOfOut(stream), stream}, p.fenceArgs(ids...)...)
	}
	for name, slot := range p.noted {
		slotScript.EvalSha(ctx, pipe, []string{keyOwner, keyPeriodic}, p.fenceArgs(name, formatUnix(slot))...)
	}
	if pipe.Len() == 0 {
		return nil, nil
	}
	cmds, _ := pipe.Exec(ctx)
	if err := firstError(cmds); err != nil {
		return nil, fmt.Errorf("write the queues: %w", err)
	}
	for ls, cmd := range queued {
		ls.entry, _ = cmd.Text()
	}
	maps.Copy(p.slots, p.noted)
	return p.withdraw(cancels), nil
}

// queue adds the script call that queues a lease's job.
func (p *pass) queue(ctx context.Context, pipe redis.Pipeliner, ls *lease) *redis.Cmd {
	t := p.trees[ls.tree]
	if t == nil || p.leases[ls.job] != ls {
		return nil
	}
	j := t.Jobs[ls.job]
	a := assignment{
		Job: jobs.Job{
			ID: j.ID, Tree: j.Tree, Kind: j.Kind, Queue: j.Queue,
			Title: j.Title, Subject: j.Subject, Args: j.Args,
		},
		Attempt: j.Attempt + 1,
		Timeout: p.policy(j.Kind).Timeout.Milliseconds(),
	}
	text, err := json.Marshal(a)
	if err != nil {
		p.opt.Log.Error("encode a job for its queue", "job", j.ID, "error", err)
		return nil
	}
	k := keysOf(j.Queue)
	return queueScript.EvalSha(ctx, pipe,
		[]string{k.own(), k.job(j.ID), k.stream(j.Priority), k.jobLog(j.ID), k.beat()},
		p.fenceArgs(group, ls.token, j.ID, text, k.control(),
			attemptLine(a.Attempt), logLines, j.Tree)...)
}

// attemptLine is what a job's log says of another attempt; the first goes
// without saying.
func attemptLine(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf("attempt %d", n)
}

// settle adds the script call that ends a job's lease on the queue's side.
func (l *loop) settle(ctx context.Context, pipe redis.Pipeliner, j *jobs.Job, mode string) {
	k := keysOf(j.Queue)
	settleScript.EvalSha(ctx, pipe,
		[]string{k.own(), k.job(j.ID), k.stream(j.Priority), k.beat(), k.jobLog(j.ID)},
		l.fenceArgs(group, k.control(), mode)...)
}

// cancel adds the script calls that end what touched, stopped trees still have
// in queues and on workers.
func (p *pass) cancel(ctx context.Context, pipe redis.Pipeliner) map[*lease]*redis.Cmd {
	out := map[*lease]*redis.Cmd{}
	for _, t := range p.touched {
		for _, id := range t.ToCancel() {
			ls := p.leases[id]
			if ls == nil || ls.cancelled {
				continue
			}
			ls.cancelled = true
			k := keysOf(ls.queue)
			out[ls] = cancelScript.EvalSha(ctx, pipe,
				[]string{k.own(), k.job(id), k.stream(ls.priority)},
				p.fenceArgs(group, ls.token, clip(t.Stop.Reason, maxText), k.control())...)
		}
	}
	return out
}

// withdraw makes the pass that aborts what no worker had taken.
func (p *pass) withdraw(cancels map[*lease]*redis.Cmd) *pass {
	var next *pass
	for ls, cmd := range cancels {
		if n, err := cmd.Int64(); err != nil || n != 1 || ls.running {
			continue
		}
		if next == nil {
			next = p.newPass()
		}
		t := p.trees[ls.tree]
		if t.Unqueue(ls.job, next.now) == nil {
			next.touched[t.ID] = t
		}
	}
	return next
}
