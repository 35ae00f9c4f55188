package redisq

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"aorta/jobs"
)

// pass is one round: rules are applied in memory, then all changed trees are
// written in one pipeline, then everything that follows from them is done in
// another. What a crash leaves undone after the writing is done by the next
// resync: it follows from the trees alone.
type pass struct {
	*loop
	now      time.Time
	touched  map[string]*tree
	fresh    map[string]*tree     // to be added
	queueing []*lease             // to be put into their queue
	revoked  []*lease             // to be ended on the queue's side
	done     map[string][]any     // out stream → entries that were worked in
	advanced []string             // kinds with an outcome, for Crash
	noted    map[string]time.Time // periodic tree → slot that it has had
}

// newPass begins a round. While there is no lease no worker has to report, so an
// absence of this process counts from the round that makes the first one.
func (l *loop) newPass() *pass {
	now := l.opt.Clock()
	if len(l.leases) == 0 {
		l.lastSweep = now
	}
	return &pass{
		loop: l, now: now, touched: map[string]*tree{},
		fresh: map[string]*tree{}, done: map[string][]any{}, noted: map[string]time.Time{},
	}
}

// finish writes a pass and its consequences, which may need another pass.
func (l *loop) finish(ctx context.Context, p *pass) error {
	for p != nil {
		if err := p.commit(ctx); err != nil {
			return err
		}
		for _, kind := range p.advanced {
			l.opt.Crash(kind + ":advanced")
		}
		next, err := p.effects(ctx)
		if err != nil {
			return err
		}
		for _, t := range p.touched {
			l.archive(ctx, t)
		}
		p = next
	}
	return nil
}

// lend gives a ready job a lease, or notes when it is due.
func (p *pass) lend(t *tree, j *jobs.Job) {
	if j.State != jobs.Ready || j.Lease != "" {
		return
	}
	due := j.Due
	if !due.Equal(j.NotBefore) {
		due = p.policy(j.Kind).Clip(due, p.now)
	}
	if due.After(p.now) {
		p.delayed.put(j.ID, due)
		return
	}
	token := uuid.NewString()
	if t.Lend(j.ID, token) != nil {
		return
	}
	p.touched[t.ID] = t
	p.hold(j)
	p.queueing = append(p.queueing, p.leases[j.ID])
}

// hold begins to watch the job's present lease.
func (p *pass) hold(j *jobs.Job) {
	p.leases[j.ID] = &lease{
		token: j.Lease, tree: j.Tree, job: j.ID, queue: j.Queue,
		priority: j.Priority, running: j.State == jobs.Running,
		seen: p.now, started: p.now,
	}
}

// commit writes every touched tree on the condition that it is still as last
// written.
func (p *pass) commit(ctx context.Context) error {
	writes := map[*tree][]string{}
	for id, t := range p.touched {
		if changed := p.prepare(t); len(changed) > 0 || p.fresh[id] != nil {
			writes[t] = changed
		}
	}
	if len(writes) == 0 {
		return nil
	}
	if err := p.register(ctx, writes); err != nil {
		return err
	}
	replies := map[*tree]*redis.Cmd{}
	pipe := p.rdb.Pipeline()
	for t, changed := range writes {
		cmd, err := p.write(ctx, pipe, t, changed)
		if err != nil {
			return err
		}
		replies[t] = cmd
	}
	cmds, _ := pipe.Exec(ctx)
	if err := firstError(cmds); err != nil {
		return fmt.Errorf("write the trees: %w", err)
	}
	if err := p.judge(replies); err != nil {
		return err
	}
	// Not before: what was refused may be added again, under the same ids.
	for t, changed := range writes {
		for _, id := range changed {
			p.locations.put(t.Jobs[id])
		}
	}
	return nil
}

// prepare lends what is ready, forgets leases that are over, and names the
// changed jobs.
func (p *pass) prepare(t *tree) []string {
	changed := t.Drain()
	for _, id := range changed {
		j := t.Jobs[id]
		if ls := p.leases[id]; ls != nil && (ls.token != j.Lease || j.State != jobs.Ready && j.State != jobs.Running) {
			if j.State == jobs.Superseded {
				p.revoked = append(p.revoked, ls)
			}
			delete(p.leases, id)
		}
		p.delayed.drop(id)
		p.lend(t, j)
	}
	t.Drain()
	return changed
}

// register makes the indexes name every new tree and queue before these exist,
// so that a keeper that takes over finds them.
func (p *pass) register(ctx context.Context, writes map[*tree][]string) error {
	var trees []any
	var queues []jobs.Queue
	for t, changed := range writes {
		if p.fresh[t.ID] != nil {
			trees = append(trees, t.ID)
		}
		for _, id := range changed {
			if q := t.Jobs[id].Queue; !p.locations.hasQueue(q) {
				p.locations.addQueue(q)
				queues = append(queues, q)
			}
		}
	}
	pipe := p.rdb.Pipeline()
	p.index(ctx, pipe, keyTrees, "SADD", trees)
	for _, q := range queues {
		p.index(ctx, pipe, keyQueues, "SADD", []any{q.Owner})
		p.claimQueue(ctx, pipe, q)
	}
	if len(queues) > 0 {
		pipe.XAdd(ctx, &redis.XAddArgs{Stream: keyWake, Values: []any{"k", string(messageWake)}})
	}
	if pipe.Len() == 0 {
		return nil
	}
	cmds, _ := pipe.Exec(ctx)
	if err := firstError(cmds); err != nil {
		return fmt.Errorf("write the index of trees: %w", err)
	}
	return nil
}

// claimQueue adds the script call that fences a queue.
func (l *loop) claimQueue(ctx context.Context, pipe redis.Pipeliner, q jobs.Queue) {
	own := keysOf(q).own()
	indexScript.EvalSha(ctx, pipe, []string{own, own}, l.fenceArgs("", "")...)
}

// index adds the script call that adds members to an index or removes them.
func (l *loop) index(ctx context.Context, pipe redis.Pipeliner, key, how string, members []any) {
	if len(members) > 0 {
		indexScript.EvalSha(ctx, pipe, []string{keyOwner, key}, l.fenceArgs(append([]any{how}, members...)...)...)
	}
}

// write adds the script call that writes a tree to the pipeline.
func (p *pass) write(ctx context.Context, pipe redis.Pipeliner, t *tree, changed []string) (*redis.Cmd, error) {
	meta := *t.Tree
	meta.Jobs = nil
	text, err := json.Marshal(&meta)
	if err != nil {
		return nil, fmt.Errorf("encode tree %s: %w", t.ID, err)
	}
	args := []any{text, channelChanged, changeEvent(t.Tree, changed)}
	script := addScript
	if p.fresh[t.ID] == nil {
		script = commitScript
		args = append([]any{t.version}, args...)
	}
	for _, id := range changed {
		text, err := json.Marshal(t.Jobs[id])
		if err != nil {
			return nil, fmt.Errorf("encode job %s: %w", id, err)
		}
		args = append(args, "j:"+id, text)
	}
	return script.EvalSha(ctx, pipe, []string{treeKey(t.ID)}, p.fenceArgs(args...)...), nil
}

// judge notes the new versions. A tree that is not as last written means that
// the server lost or got back something: read everything anew.
func (p *pass) judge(replies map[*tree]*redis.Cmd) error {
	var anew error
	for t, cmd := range replies {
		n, err := cmd.Int64()
		switch {
		case err != nil:
			return fmt.Errorf("write tree %s: %w", t.ID, err)
		case p.fresh[t.ID] != nil && n == 1:
			t.version = 1
			p.trees[t.ID] = t
		case p.fresh[t.ID] == nil && n > 0:
			t.version = n
		default:
			anew = fmt.Errorf("write tree %s: %w", t.ID, errAnew)
		}
	}
	return anew
}
