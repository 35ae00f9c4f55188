package redisq

import (
	"context"
	"crypto/tls"
	"testing"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/jobs"
)

// Keeper and worker over a rediss:// URL, under a user with a password.
func TestJobs_RunOverTLS(t *testing.T) {
	t.Parallel()
	server := testkit.RedisTLS(t)
	opt, err := redis.ParseURL("rediss://default@" + server.Addr + "/0?protocol=2")
	if err != nil {
		t.Fatalf("read the URL: %v", err)
	}
	opt.TLSConfig = &tls.Config{RootCAs: server.CA, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	opt.DisableIdentity, opt.MaxRetries, opt.PoolSize = true, -1, 20
	rdb := redis.NewClient(opt)
	defer func() { _ = rdb.Close() }()
	k, ends, stop := startKeeper(t, rdb, keeperOptions(1))
	q := jobs.NodeQueue("a")
	node := aclClient(t, rdb, "node", NodeACL("a"))
	begun := make(chan struct{})
	stopWorker := startWorker(t, node, q, map[string]jobs.Handler{"ok": ok, "wait": func(ctx context.Context, r *jobs.Run) (any, error) {
		r.Log("hello")
		close(begun)
		return untilCancelled(ctx, r)
	}})

	add(t, k, spec("ok", q, spec("ok", q)))
	wantState(t, awaitEnd(t, ends), jobs.Succeeded)
	long := spec("wait", q)
	add(t, k, long)
	<-begun
	lines := awaitLines(t, k, long.ID, 1)
	_ = k.Abort(t.Context(), long.ID, "enough")
	wantState(t, awaitEnd(t, ends), jobs.Aborted)

	if lines[0] != "hello" {
		t.Errorf("log: got %q, want hello", lines[0])
	}
	if n := server.Client(t).ACLLog(t.Context(), 10).Val(); len(n) != 0 {
		t.Errorf("refused commands: got %+v, want none", n)
	}
	_, _ = stopWorker(), stop()
}
