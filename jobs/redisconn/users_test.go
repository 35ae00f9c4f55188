package redisconn

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// Who has filled the server by what it may write is removed, and there is room again.
func TestRedis_ExpelledNodeLeavesRoom(t *testing.T) {
	server := testkit.Redis(t, "--maxmemory", "32mb")
	rdb := server.Client(t)
	node, other := cluster.Node{ID: "a", Name: "n1"}, cluster.Node{ID: "b", Name: "n2"}
	r, err := New(t.Context(), Options{
		Name: "it", Endpoint: cluster.RedisEndpoint{Network: "unix", Addr: server.Socket},
		Nodes:    func(context.Context) ([]cluster.Node, error) { return []cluster.Node{node, other}, nil },
		Password: func(string) string { return "p" }, Log: slog.New(slog.DiscardHandler),
	})
	testkit.Must(t, err)
	defer r.Close()
	testkit.Must(t, r.Prepare(t.Context()))
	testkit.Must(t, rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: "{n:b}:j:x:log", Values: []any{"l", "x"}}).Err())
	as := redis.NewClient(testkit.Patient(&redis.Options{Network: "unix", Addr: server.Socket, Username: "node-a", Password: "p", DisableIdentity: true, MaxRetries: -1}))
	defer func() { _ = as.Close() }()
	var full error
	for i := 0; full == nil && i < 100; i++ {
		full = as.XAdd(t.Context(), &redis.XAddArgs{Stream: "{n:a}:j:junk:log", Values: []any{"l", strings.Repeat("x", 1<<20)}}).Err()
	}

	err = r.Expel(t.Context(), node)

	left, _ := rdb.Keys(t.Context(), "*").Result()
	refused := as.Ping(t.Context()).Err()
	if !redis.HasErrorPrefix(full, "OOM") || err != nil || refused == nil || len(left) != 1 || left[0] != "{n:b}:j:x:log" {
		t.Errorf("got %v, and then %v with the node let in by %v and keys %v; want it full, then the node out and the other's log there alone", full, err, refused, left)
	}
}
