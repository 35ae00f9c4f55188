package redisd

import (
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestServer_CheckUsesItAsItsClientsDo(t *testing.T) {
	t.Parallel()
	cfg := config(testkit.ShortDir(t), "routes")
	cfg.MaxMemory = 64 << 20
	s := openServer(t, cfg)
	set := func(name, value string) {
		t.Helper()
		testkit.Must(t, s.Client().ConfigSet(t.Context(), name, value).Err())
	}

	well := s.Check(t.Context())
	left, err := s.Client().DBSize(t.Context()).Result()
	testkit.Must(t, err)
	set("min-replicas-to-write", "1")
	refuses := s.Check(t.Context())
	set("min-replicas-to-write", "0")
	fill(t, s)
	full := s.Check(t.Context())
	testkit.Must(t, s.Client().FlushAll(t.Context()).Err())
	again := s.Check(t.Context())
	set("maxclients", "1") // this test's own
	crowded := s.Check(t.Context())

	if well != nil || left != 0 {
		t.Errorf("got %v and %d keys, want it in order and left as it was", well, left)
	}
	if cluster.CodeOf(refuses) != cluster.CodeUnavailable || !strings.Contains(refuses.Error(), "the routes Redis refuses to write: NOREPLICAS") || !strings.Contains(refuses.Error(), "bytes are free at "+s.cfg.DataDir) {
		t.Errorf("without replicas: got %v, want what it refuses, and the room on its disk", refuses)
	}
	if cluster.CodeOf(full) != cluster.CodeUnavailable || !strings.Contains(full.Error(), "the routes Redis is full: it holds 6") || !strings.Contains(full.Error(), "of the 64 MB that it may") || again != nil {
		t.Errorf("without memory: got %v, and then %v; want that it is full, and then in order", full, again)
	}
	if crowded == nil {
		t.Error("got it in order while it takes no new connection")
	}
}

// fill writes until the server takes no more, as somebody would who may write.
func fill(t *testing.T, s *Server) {
	t.Helper()
	var err error
	for i := 0; err == nil && i < 100; i++ {
		err = s.Client().XAdd(t.Context(), &redis.XAddArgs{Stream: "junk", Values: []any{"a", strings.Repeat("x", 1<<20)}}).Err()
	}
	if !redis.HasErrorPrefix(err, "OOM") {
		t.Fatalf("100 MB written: got %v, want OOM", err)
	}
}

func TestServer_CheckAsksAReplicaForItsLink(t *testing.T) {
	t.Parallel()
	master, replica := pair(t)

	testkit.Eventually(t, "the link to be in order", func() bool { return replica.Check(t.Context()) == nil })
	testkit.Must(t, master.daemon.Stop(t.Context()))
	testkit.Eventually(t, "the lost link to be noticed", func() bool {
		err := replica.Check(t.Context())
		var coded *cluster.Error
		return errors.As(err, &coded) && strings.Contains(err.Error(), "does not follow its master at "+replica.cfg.ReplicaOf.Addr)
	})
	if err := replica.Client().Get(t.Context(), "routes:old").Err(); errors.Is(err, redis.Nil) {
		t.Error("the replica lost its data by the check")
	}
}
