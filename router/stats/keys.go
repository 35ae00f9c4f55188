package stats

import (
	"fmt"
	"strconv"
	"strings"
)

// Every key of the stats Redis. {s:NN} is the shard, 00 to 16, and the hash tag
// of a Redis Cluster: a commit, a move and a query of one app stay in one slot.
//
//	{s:NN}:pos:<router>            string  how far the router's log is counted, JSON of a Position;
//	                                       tailers write and read it; for ever
//	{s:NN}:in:<router>             string  what a router counted and nobody took yet, entries (entry.go);
//	                                       tailers append, the Taker cuts them off
//	{s:NN}:1s:<app>:<start>:<dim>  string  records per second of one minute; the Taker appends, the roller
//	                                       moves it into 1m after 10 min (instances: deletes it)
//	{s:NN}:1m:<app>:<start>:<dim>  string  records per minute of one hour; the roller appends, and moves
//	                                       it into 1h after 2 days
//	{s:NN}:1h:<app>:<start>:<dim>  string  records per hour of ten days; the roller appends, and deletes
//	                                       it after 90 days
//	{s:NN}:total:<app>             hash    counters since the app was made; the Taker adds; until Forget
//	{s:NN}:total:<app>:<release>   hash    the same of one release
//	{s:NN}:due:<app>               zset    every key of the app above, without shard and app, by the unix
//	                                       time at which the roller processes it (totals: never, +inf);
//	                                       the Taker and the roller write it; until Forget
//	{s:NN}:apps                    zset    every app of the shard, by its earliest due time; until Forget
//
// <start> is a unix time, <app> is NoApp for requests of no app. All of them are
// read by queries, except for pos and in, which are all that a router can reach.

// level is one resolution. All times are seconds.
type level struct {
	name string
	step int64 // of one record
	span int64 // of one key
	keep int64 // how long at least a record stays after its time
}

var levels = [...]level{
	{name: "1s", step: 1, span: 60, keep: 600},
	{name: "1m", step: 60, span: 3600, keep: 2 * 86400},
	{name: "1h", step: 3600, span: 10 * 86400, keep: 90 * 86400},
}

// settle is how long after a key's end it is taken to be complete and packed:
// tailers commit twice a second, and the Taker takes. What comes later is packed again.
const settle = 20

// start is the time of the key that holds second.
func (l level) start(second int64) int64 { return second - second%l.span }

// packAt is when a key is packed.
func (l level) packAt(start int64) int64 { return start + l.span + settle }

// leaveAt is when a key's records go to the next level, or away.
func (l level) leaveAt(start int64) int64 { return start + l.span + l.keep }

// slot names one key within its app: a level, a time and a dimension.
type slot struct {
	level int // index in levels
	start int64
	dim   dim
}

// member is the slot's name in the app's due set.
func (s slot) member() string {
	return levels[s.level].name + ":" + strconv.FormatInt(s.start, 10) + ":" + string(s.dim)
}

func (s slot) key(shard int, app string) string {
	return prefix(shard) + levels[s.level].name + ":" + app + ":" + strconv.FormatInt(s.start, 10) + ":" + string(s.dim)
}

// parseSlot reads a member of a due set. It reports false for a total.
func parseSlot(member string) (slot, bool) {
	parts := strings.SplitN(member, ":", 3)
	if len(parts) != 3 {
		return slot{}, false
	}
	start, err := strconv.ParseInt(parts[1], 10, 64)
	for i, l := range levels {
		if l.name == parts[0] && err == nil {
			return slot{level: i, start: start, dim: dim(parts[2])}, true
		}
	}
	return slot{}, false
}

// dim is one dimension of an app: a letter, and a value for all but the first.
type dim string

const (
	dimApp      = "a"
	dimRelease  = "r:"
	dimType     = "t:"
	dimNode     = "n:"
	dimRouter   = "x:"
	dimInstance = "i:"
)

// brief reports whether the dimension holds counts only, for ten minutes.
func (d dim) brief() bool { return strings.HasPrefix(string(d), dimInstance) }

// totalMember + release is a release's total in the app's due set.
const totalMember = "total:"

func prefix(shard int) string { return fmt.Sprintf("{s:%02d}:", shard) }

func posKey(shard int, router string) string   { return prefix(shard) + "pos:" + router }
func inboxKey(shard int, router string) string { return prefix(shard) + "in:" + router }
func appsKey(shard int) string                 { return prefix(shard) + "apps" }
func dueKey(shard int, app string) string      { return prefix(shard) + "due:" + app }
func totalKey(shard int, app string) string    { return prefix(shard) + "total:" + app }

func releaseTotalKey(shard int, app, release string) string {
	return totalKey(shard, app) + ":" + release
}
