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
	s := openServer(t, config(testkit.ShortDir(t), "routes"))
	set := func(name, value string) {
		t.Helper()
		testkit.Must(t, s.Client().ConfigSet(t.Context(), name, value).Err())
	}

	well := s.Check(t.Context())
	left, err := s.Client().DBSize(t.Context()).Result()
	testkit.Must(t, err)
	set("maxmemory", "1")
	full := s.Check(t.Context())
	set("maxmemory", "0")
	set("maxclients", "1") // this test's own
	crowded := s.Check(t.Context())

	if well != nil || left != 0 {
		t.Errorf("got %v and %d keys, want it in order and left as it was", well, left)
	}
	if cluster.CodeOf(full) != cluster.CodeUnavailable || !strings.Contains(full.Error(), "the routes Redis refuses to write: OOM") || !strings.Contains(full.Error(), "bytes are free at "+s.cfg.DataDir) {
		t.Errorf("without memory: got %v, want what it refuses, and the room on its disk", full)
	}
	if crowded == nil {
		t.Error("got it in order while it takes no new connection")
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
