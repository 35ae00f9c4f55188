package redisq

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/redis/go-redis/v9"

	"aorta/jobs"
)

// markTTL is how long, in seconds, the owner's mark of a lost tree keeps an
// older keeper from writing it.
const markTTL = 3600

// resync claims everything for this keeper's epoch and reads it. It is the full
// pass at the start, and after anything went wrong.
func (l *loop) resync(ctx context.Context) error {
	l.stats.resyncs.Add(1)
	if err := loadScripts(ctx, l.rdb); err != nil {
		return err
	}
	if err := l.claim(ctx); err != nil {
		return err
	}
	if err := l.claimQueues(ctx); err != nil {
		return err
	}
	if err := l.mendKinds(ctx); err != nil {
		return err
	}
	if err := l.readSlots(ctx); err != nil {
		return err
	}
	before := l.trees
	if err := l.claimTrees(ctx); err != nil {
		return err
	}
	l.announceLost(ctx, before)
	return l.resume(ctx)
}

// claim writes this keeper's name. Where there is none, an older keeper that
// slept through its successor's time must not be the first to write one.
func (l *loop) claim(ctx context.Context) error {
	n, err := l.rdb.Exists(ctx, keyOwner).Result()
	if err == nil && n == 0 {
		err = l.opt.Confirm(ctx)
	}
	if err == nil {
		err = indexScript.EvalSha(ctx, l.rdb, []string{keyOwner, keyOwner}, l.fenceArgs("", "")...).Err()
	}
	if err != nil {
		return fmt.Errorf("claim the jobs: %w", asFenced(err))
	}
	return nil
}

// claimQueues fences every known queue. Those known here only, because the
// server lost them, are written again.
func (l *loop) claimQueues(ctx context.Context) error {
	owners, err := l.rdb.SMembers(ctx, keyQueues).Result()
	if err != nil {
		return fmt.Errorf("read the index of queues: %w", err)
	}
	for _, o := range owners {
		l.locations.addQueue(jobs.Queue{Owner: o})
	}
	pipe := l.rdb.Pipeline()
	for _, q := range l.locations.allQueues() {
		l.claimQueue(ctx, pipe, q)
		if !slices.Contains(owners, q.Owner) {
			indexScript.EvalSha(ctx, pipe, []string{keyOwner, keyQueues}, l.fenceArgs("SADD", q.Owner)...)
		}
	}
	pipe.XAdd(ctx, &redis.XAddArgs{Stream: keyWake, Values: []any{"k", string(messageWake)}})
	cmds, _ := pipe.Exec(ctx)
	if err := firstError(cmds); err != nil {
		return fmt.Errorf("claim the queues: %w", err)
	}
	return nil
}

// claimTrees fences and reads every open tree.
func (l *loop) claimTrees(ctx context.Context) error {
	ids, err := l.rdb.SMembers(ctx, keyTrees).Result()
	if err != nil {
		return fmt.Errorf("read the index of trees: %w", err)
	}
	replies := map[string]*redis.Cmd{}
	pipe := l.rdb.Pipeline()
	for _, id := range ids {
		replies[id] = claimScript.EvalSha(ctx, pipe, []string{treeKey(id)}, l.fenceArgs(markTTL)...)
	}
	cmds, _ := pipe.Exec(ctx)
	if err := firstError(cmds); err != nil {
		return fmt.Errorf("claim the trees: %w", err)
	}
	l.trees = map[string]*tree{}
	for id, cmd := range replies {
		if err := l.loadTree(ctx, id, cmd); err != nil {
			return err
		}
	}
	return nil
}

func (l *loop) loadTree(ctx context.Context, id string, cmd *redis.Cmd) error {
	flat, err := cmd.StringSlice()
	if err != nil {
		return fmt.Errorf("read tree %s: %w", id, err)
	}
	fields := map[string]string{}
	for i := 0; i+1 < len(flat); i += 2 {
		fields[flat[i]] = flat[i+1]
	}
	if fields["v"] == "" {
		err := indexScript.EvalSha(ctx, l.rdb, []string{keyOwner, keyTrees}, l.fenceArgs("SREM", id)...).Err()
		return asFenced(err)
	}
	t, err := parseTree(id, fields)
	if err != nil {
		// One broken tree must not hold up the others; it stays where it is.
		l.opt.Log.Error("a tree of jobs can't be read and is left alone", "tree", id, "error", err)
		return nil
	}
	l.trees[id] = t
	for _, j := range t.Jobs {
		l.locations.put(j)
	}
	return nil
}

// parseTree reads a tree from the fields of its hash.
func parseTree(id string, fields map[string]string) (*tree, error) {
	t := &tree{Tree: &jobs.Tree{}}
	if err := json.Unmarshal([]byte(fields["meta"]), t.Tree); err != nil {
		return nil, fmt.Errorf("read tree %s: %w", id, err)
	}
	if _, err := fmt.Sscan(fields["v"], &t.version); err != nil {
		return nil, fmt.Errorf("read the version of tree %s: %w", id, err)
	}
	t.Jobs = map[string]*jobs.Job{}
	for name, text := range fields {
		if len(name) < 3 || name[:2] != "j:" {
			continue
		}
		j := &jobs.Job{}
		if err := json.Unmarshal([]byte(text), j); err != nil {
			return nil, fmt.Errorf("read job %s of tree %s: %w", name[2:], id, err)
		}
		t.Jobs[j.ID] = j
	}
	if t.Jobs[id] == nil {
		return nil, fmt.Errorf("read tree %s: its root job is missing", id)
	}
	return t, nil
}

// announceLost notifies watchers of trees that were open here and are gone.
func (l *loop) announceLost(ctx context.Context, before map[string]*tree) {
	for id, t := range before {
		if l.trees[id] != nil {
			continue
		}
		l.locations.drop(t.Tree)
		l.opt.Log.Warn("a tree of jobs is gone from Redis; add it again", "tree", id, "operation", t.Operation)
		l.publish(ctx, Event{Tree: id, Lost: true})
	}
}

// resume starts watching every lease anew and does whatever a crash may have
// left undone: each step changes nothing if it was done.
func (l *loop) resume(ctx context.Context) error {
	p := l.newPass()
	clear(l.leases)
	l.delayed.clear()
	l.lastSweep = p.now
	for _, id := range slices.Sorted(maps.Keys(l.trees)) {
		t := l.trees[id]
		p.touched[id] = t
		for _, j := range t.Jobs {
			p.resumeJob(t, j)
		}
	}
	if err := l.finish(ctx, p); err != nil {
		return err
	}
	return l.purgeAllBeats(ctx)
}

func (p *pass) resumeJob(t *tree, j *jobs.Job) {
	switch {
	case j.State == jobs.Running:
		p.hold(j)
	case j.State == jobs.Ready && j.Lease != "":
		p.hold(j)
		p.queueing = append(p.queueing, p.leases[j.ID])
	case j.State == jobs.Superseded: // its lease may outlive the keeper that ended the job
		p.revoked = append(p.revoked, &lease{tree: t.ID, job: j.ID, queue: j.Queue})
	default:
		p.lend(t, j)
	}
}

func (l *loop) purgeAllBeats(ctx context.Context) error {
	for _, q := range l.locations.allQueues() {
		beats, err := l.rdb.HGetAll(ctx, keysOf(q).beat()).Result()
		if err != nil {
			return fmt.Errorf("read the beats of %s: %w", q.Owner, err)
		}
		l.purgeBeats(ctx, q, beats)
	}
	return nil
}
