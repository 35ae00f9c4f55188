package stats

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// move is one change of the roller: a key packed anew, or gone into a coarser
// one, or just gone.
type move struct {
	from   slot
	before string // what from must hold
	after  string // what it holds then, "" if it is deleted
	due    int64  // when from is due again, if it stays
	coarse bool   // whether records go to the next level
	to     slot
	added  string // to the next level
}

// moveOf decides what happens to a due key at now.
func moveOf(from slot, packed string, now int64) (move, error) {
	l := levels[from.level]
	m := move{from: from, before: packed}
	leaves := now >= l.leaveAt(from.start)
	last := from.level == len(levels)-1 || from.dim.brief()
	if packed == "" || leaves && last {
		return m, nil
	}
	all := steps{}
	if err := all.unpack(l, from.start, packed); err != nil {
		return move{}, err
	}
	if !leaves {
		m.after, m.due = string(all.pack(l, from.start)), l.leaveAt(from.start)
		return m, nil
	}
	next := levels[from.level+1]
	m.coarse = true
	m.to = slot{from.level + 1, next.start(from.start), from.dim}
	m.added = string(all.coarser(next.step).pack(next, m.to.start))
	return m, nil
}

// send queues the change. EVAL and not EVALSHA: inside of a pipeline nobody
// answers a server that does not know the script.
func (m move) send(ctx context.Context, p redis.Pipeliner, shard int, app string) *redis.Cmd {
	keys := []string{m.from.key(shard, app), dueKey(shard, app)}
	args := []any{m.before, m.from.member(), m.after, m.due}
	if m.coarse {
		keys = append(keys, m.to.key(shard, app))
		args = append(args, m.added, m.to.member(), levels[m.to.level].packAt(m.to.start))
	}
	return p.Eval(ctx, moveText, keys, args...)
}
