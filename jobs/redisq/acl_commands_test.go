package redisq

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/jobs"
)

// allowedCommands are what a node's user may send, each with what makes it work
// on the keys of the node's own queue, and keys that it must not reach with it.
var allowedCommands = map[string]aclCase{
	"ping":  {own: [][]any{{"PING"}}},
	"multi": {own: [][]any{{"MULTI"}}},
	"exec":  {}, // an error without MULTI, allowed or not
	// What a client of a Redis Cluster asks for: the map of the slots, and where
	// in a command the key is.
	"cluster|slots": {},
	"command":       {own: [][]any{{"COMMAND", "COUNT"}}},
	"unsubscribe":   {own: [][]any{{"UNSUBSCRIBE", "x"}}}, // of nothing: it reads no channel
	"xreadgroup":    {own: [][]any{{"XREADGROUP", "GROUP", group, "c", "STREAMS", "{n:a}:q:0", ">"}}, onKey: []any{"XREADGROUP", "GROUP", group, "c", "STREAMS", aclKey, ">"}},
	"xgroup|create": {
		own:   [][]any{{"XGROUP", "CREATE", "{n:a}:q:1", group, "0", "MKSTREAM"}},
		onKey: []any{"XGROUP", "CREATE", aclKey, "g", "0", "MKSTREAM"},
	},
	"xadd":      {own: [][]any{{"XADD", "{n:a}:out", "*", "k", "done"}, {"XADD", "{n:a}:j:x:log", "NOMKSTREAM", "*", "l", "x"}}, onKey: []any{"XADD", aclKey, "*", "k", "done"}},
	"xack":      {own: [][]any{{"XACK", "{n:a}:q:0", group, "1-1"}}, onKey: []any{"XACK", aclKey, group, "1-1"}},
	"xdel":      {own: [][]any{{"XDEL", "{n:a}:q:0", "1-1"}}, onKey: []any{"XDEL", aclKey, "1-1"}},
	"hmget":     {own: [][]any{{"HMGET", "{n:a}:j:x", "token"}}, onKey: []any{"HMGET", aclKey, "token"}},
	"hincrby":   {own: [][]any{{"HINCRBY", "{n:a}:beat", "t", 1}}, onKey: []any{"HINCRBY", aclKey, "t", 1}},
	"hdel":      {own: [][]any{{"HDEL", "{n:a}:beat", "t"}}, onKey: []any{"HDEL", aclKey, "t"}},
	"publish":   {own: [][]any{{"PUBLISH", "{n:a}:log", "x"}}, onChannel: []any{"PUBLISH", aclKey, "x"}},
	"subscribe": {onChannel: []any{"SUBSCRIBE", aclKey}},
}

// aclKey stands for a key or a channel in a command.
const aclKey = "KEY"

type aclCase struct {
	own       [][]any // work
	onKey     []any   // must be refused on every key of foreignKeys
	onChannel []any   // likewise on every channel of foreignChannels
}

// lawless commands need no permission: they log in, out, or start over.
var lawless = []string{"auth", "hello", "quit", "reset"}

// allowed says whether a command or subcommand is one of them, or all its
// container's are.
func allowed(name string) bool {
	container, _, _ := strings.Cut(name, "|")
	_, itself := allowedCommands[name]
	_, all := allowedCommands[container]
	return itself || all
}

// foreignKeys are all that a node's user has no business with, made from one
// name of each key in keys.go.
func foreignKeys() []string {
	own := keysOf(jobs.NodeQueue("a"))
	out := []string{keyOwner, keyTrees, keyQueues, keyWake, keyPeriodic, treeKey("x"), "x", own.own(), own.stream(priorities), own.stream(0) + "0", string(own) + "q:junk"}
	for _, q := range []jobs.Queue{jobs.NodeQueue("b"), jobs.NodeQueue("aa"), jobs.RoleQueue("a")} {
		k := keysOf(q)
		out = append(out, k.own(), k.out(), k.beat(), k.stream(0), k.job("x"), k.jobLog("x"))
	}
	return out
}

var foreignChannels = []string{channelChanged, "{n:b}:ctl", "{n:b}:log", "{r:a}:ctl", "x"}

// filled is the command with a key in its place.
func filled(cmd []any, key string) []any {
	out := slices.Clone(cmd)
	for i, v := range out {
		if v == any(aclKey) {
			out[i] = key
		}
	}
	return out
}

func refusedFor(ctx context.Context, rdb *redis.Client, args []any) (string, bool) {
	err := rdb.Do(ctx, args...).Err()
	if err == nil {
		return "nil", false
	}
	return err.Error(), strings.HasPrefix(err.Error(), "NOPERM")
}

// serverCommand is one command or subcommand of the server, with as many
// arguments as it wants at least.
type serverCommand struct {
	name string
	args []any
}

// serverCommands lists all that this server knows. Every argument is a key of
// the node's own queue: the refusal must be the command's.
func serverCommands(tb testing.TB, rdb *redis.Client) []serverCommand {
	tb.Helper()
	reply, err := rdb.Do(tb.Context(), "COMMAND").Slice()
	if err != nil {
		tb.Fatalf("list the commands: %v", err)
	}
	var out []serverCommand
	for _, c := range reply {
		row := c.([]any)
		subs := row[9].([]any)
		if len(subs) == 0 {
			out = append(out, oneCommand(row))
		}
		for _, sub := range subs { // without one of these their name is no command
			out = append(out, oneCommand(sub.([]any)))
		}
	}
	return out
}

// oneCommand reads a row of COMMAND: name, arity with the name counted in
// (negative: at least) and more.
func oneCommand(row []any) serverCommand {
	c := serverCommand{name: row[0].(string)}
	for word := range strings.SplitSeq(c.name, "|") {
		c.args = append(c.args, word)
	}
	arity := row[1].(int64)
	for int64(len(c.args)) < max(arity, -arity) {
		c.args = append(c.args, "{n:a}:q:0")
	}
	return c
}

func TestNodeACL_RefusesEverythingElse(t *testing.T) {
	t.Parallel()
	// Otherwise the server refuses these by itself.
	rdb := connect(t, testkit.Redis(t, "--enable-debug-command", "yes", "--enable-module-command", "yes"))
	node := aclClient(t, rdb, "node", NodeACL("a"))
	known := serverCommands(t, rdb)
	tried := 0

	for _, c := range known {
		if allowed(c.name) || slices.Contains(lawless, c.name) {
			continue
		}
		tried++
		if got, ok := refusedFor(t.Context(), node, c.args); !ok {
			t.Errorf("%v: got %s, want NOPERM", c.args, got)
		}
	}

	if tried < 250 {
		t.Fatalf("commands tried: got %d of %d, want all of a Redis 7", tried, len(known))
	}
	t.Logf("commands and subcommands refused: %d of %d", tried, len(known))
}

func TestNodeACL_ReachesItsOwnQueueOnly(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	node := aclClient(t, rdb, "node", NodeACL("a"))
	if err := rdb.XGroupCreateMkStream(t.Context(), "{n:a}:q:0", group, "0").Err(); err != nil {
		t.Fatalf("make the group: %v", err)
	}
	rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: "{n:a}:q:0", Values: []any{"job", "x"}})

	for name, c := range allowedCommands {
		for _, args := range c.own {
			if got, refused := refusedFor(t.Context(), node, args); refused {
				t.Errorf("%s: %v: got %s, want it allowed", name, args, got)
			}
		}
		if c.onKey != nil {
			wantAllRefused(t, node, c.onKey, foreignKeys())
		}
		if c.onKey != nil {
			wantAllRefused(t, node, c.onKey, otherKinds(name))
		}
		if c.onChannel != nil {
			wantAllRefused(t, node, c.onChannel, foreignChannels)
		}
	}
}

// otherKinds are the queue's own keys that a command has nothing to do with: one that is
// not there would become what it is not. The keeper alone queues jobs: nobody would
// clear away what is none.
func otherKinds(command string) []string {
	k := keysOf(jobs.NodeQueue("a"))
	kinds := map[string][]string{
		"xreadgroup xgroup|create xack xdel": {k.stream(0), k.stream(1), k.stream(2)},
		"hincrby hdel":                       {k.beat()},
		"hmget":                              {k.job("x"), k.jobLog("x")},
		"xadd":                               {k.out(), k.jobLog("x")},
	}
	var others []string
	for commands, keys := range kinds {
		if !slices.Contains(strings.Fields(commands), command) {
			others = append(others, keys...)
		}
	}
	return slices.DeleteFunc(others, func(key string) bool { return slices.Contains(kinds[command], key) })
}

func wantAllRefused(tb testing.TB, node *redis.Client, cmd []any, on []string) {
	tb.Helper()
	for _, key := range on {
		args := filled(cmd, key)
		if got, refused := refusedFor(tb.Context(), node, args); !refused {
			tb.Errorf("%v: got %s, want NOPERM", args, got)
		}
	}
}

// A user is gone with its server, and a worker goes on by itself once somebody
// has made the user again.
func TestNodeACL_IsAppliedAgainAfterARestart(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
	rdb := connect(t, server)
	k, ends, _ := startKeeper(t, rdb, keeperOptions(1))
	q := jobs.NodeQueue("a")
	node := aclClient(t, rdb, "node", NodeACL("a"))
	startWorker(t, node, q, map[string]jobs.Handler{"ok": ok})
	before := spec("ok", q)
	add(t, k, before)
	wantState(t, awaitEnd(t, ends), jobs.Succeeded)
	awaitGone(t, k, before.ID)

	server.Kill()
	server.Start(t)
	refused := aclLogin(t, rdb.Options(), "node").Ping(t.Context()).Err()
	add(t, k, spec("ok", q))
	left := len(ends)
	aclClient(t, rdb, "node", NodeACL("a"))

	wantState(t, awaitEnd(t, ends), jobs.Succeeded)
	if refused == nil || !strings.HasPrefix(refused.Error(), "WRONGPASS") || left != 0 {
		t.Fatalf("without its user: got %v and %d trees ended, want WRONGPASS and 0", refused, left)
	}
}
