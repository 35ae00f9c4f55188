package redisq

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/jobs"
)

// Whatever a node's user can make grow is taken back, and nothing of others, nor what
// is in order.
func TestTakeBack_BoundsWhatANodeCanFill(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, "--maxmemory", "100mb")
	rdb := connect(t, server)
	node := aclClient(t, rdb, "node", NodeACL("a"))
	a, big := keysOf(jobs.NodeQueue("a")), strings.Repeat("x", 1<<20)
	kept := []string{keysOf(jobs.NodeQueue("b")).jobLog("j"), a.job("j"), "x"}
	testkit.Must(t, rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: kept[0], Values: []any{"l", "x"}}).Err())
	testkit.Must(t, rdb.HSet(t.Context(), kept[1], "token", "t").Err())
	testkit.Must(t, rdb.Set(t.Context(), kept[2], "x", 0).Err())
	testkit.Must(t, rdb.XGroupCreateMkStream(t.Context(), a.stream(0), group, "0").Err())
	testkit.Must(t, rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: a.stream(0), Values: []any{"job", "j"}}).Err())
	ways := map[string]func(i int) []any{
		"groups": func(i int) []any { return []any{"XGROUP", "CREATE", a.stream(0), fmt.Sprint(i, big), "$"} },
		"words":  func(int) []any { return []any{"XADD", a.out(), "*", "k", big} },
		"beats":  func(i int) []any { return []any{"HINCRBY", a.beat(), fmt.Sprint(i, big), 1} },
		"logs":   func(i int) []any { return []any{"XADD", a.jobLog(fmt.Sprint(i)), "*", "l", big} },
		"names":  func(i int) []any { return []any{"XADD", a.jobLog(fmt.Sprint(i, big)), "*", "l", "x"} },
	}

	for name, command := range ways {
		var full error
		for i := 0; i < 1000 && !redis.HasErrorPrefix(full, "OOM"); i++ {
			full = node.Do(t.Context(), command(i)...).Err()
		}
		_, err := TakeBack(t.Context(), rdb, jobs.NodeQueue("a"))

		if !redis.HasErrorPrefix(full, "OOM") || err != nil {
			t.Errorf("%s: got %v, and then %v; want the server full, and then no error", name, full, err)
		}
		testkit.Eventually(t, name+" to be gone", func() bool { // the server frees it behind its answer
			used, _ := strconv.Atoi(rdb.InfoMap(t.Context(), "memory").Item("Memory", "used_memory"))
			return used < 32<<20
		})
	}
	if there := rdb.Exists(t.Context(), kept...).Val(); there != 3 {
		t.Errorf("keys of others: got %d of 3", there)
	}
	if n := rdb.XLen(t.Context(), a.stream(0)).Val(); n != 1 || rdb.XInfoGroups(t.Context(), a.stream(0)).Err() != nil {
		t.Errorf("the queue: got %d entries, want the one that waits", n)
	}
}
