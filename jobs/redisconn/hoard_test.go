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

// One node that writes without end does not keep the others' jobs from the server.
func TestRedis_WhoFillsItMakesRoom(t *testing.T) {
	server := testkit.Redis(t, "--maxmemory", "100mb")
	rdb := server.Client(t)
	nodes := []cluster.Node{{ID: "a", Name: "n1"}, {ID: "b", Name: "n2"}}
	r, err := New(t.Context(), Options{
		Name: "it", Endpoint: cluster.RedisEndpoint{Network: "unix", Addr: server.Socket},
		Nodes:    func(context.Context) ([]cluster.Node, error) { return nodes, nil },
		Password: func(string) string { return "p" }, Log: slog.New(slog.DiscardHandler),
	})
	testkit.Must(t, err)
	defer r.Close()
	testkit.Must(t, r.Prepare(t.Context()))
	as := redis.NewClient(testkit.Patient(&redis.Options{Network: "unix", Addr: server.Socket, Username: "node-a", Password: "p", DisableIdentity: true, MaxRetries: -1}))
	defer func() { _ = as.Close() }()
	for range 2 {
		var full error
		for i := 0; full == nil && i < 1000; i++ {
			full = as.XAdd(t.Context(), &redis.XAddArgs{Stream: "{n:a}:j:junk:log", Values: []any{"l", strings.Repeat("x", 1<<20)}}).Err()
		}
		if !redis.HasErrorPrefix(full, "OOM") {
			t.Fatalf("fill it: got %v, want OOM", full)
		}

		testkit.Eventually(t, "room for others", func() bool {
			testkit.Must(t, r.poll(t.Context()))
			return rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: "{n:b}:q:0", Values: []any{"job", "x"}}).Err() == nil
		})
	}
}
