package redisd

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
)

// pair is a routes master with its gate open and a replica that has its data.
func pair(t *testing.T) (master, replica *Server) {
	t.Helper()
	root := testkit.ShortDir(t)
	cfg := withTCP(t, config(root, "routes"))
	cfg.Users = []User{{Name: "replica", Password: "follow me", Rules: ReplicaRules}}
	master = runServer(t, cfg)
	set(t, master, "routes:old", "1")

	rep := config(root, "routes-replica")
	rep.Persist = RDBOnly
	rep.ReplicaOf = &Master{Addr: cfg.Addresses[0], User: "replica", Password: "follow me"}
	replica = runServer(t, rep)
	if err := master.OpenGate(t.Context(), "replica", runID(t, master)); err != nil {
		t.Fatalf("OpenGate: %v", err)
	}
	testkit.Eventually(t, "the replica to have the data", func() bool {
		return get(t, replica, "routes:old") == "1"
	})
	return master, replica
}

// awaitRefused waits until the master has turned the replica away.
func awaitRefused(t *testing.T, master *Server) {
	t.Helper()
	testkit.Eventually(t, "the master to refuse the replica", func() bool {
		entries, err := master.Client().ACLLog(t.Context(), 10).Result()
		if err != nil {
			return false
		}
		for _, e := range entries {
			if e.Username == "replica" && e.Reason == "auth" && e.Count >= 2 {
				return true
			}
		}
		return false
	})
}

func TestServer_EmptyMasterDoesNotWipeItsReplicaBeforeTheGateOpens(t *testing.T) {
	master, replica := pair(t)
	for _, name := range []string{"appendonlydir", "dump.rdb"} {
		if err := os.RemoveAll(filepath.Join(master.cfg.DataDir, name)); err != nil {
			t.Fatalf("lose the data: %v", err)
		}
	}

	killAndAwait(t, master)
	awaitRefused(t, master)

	if empty, kept := get(t, master, "routes:old"), get(t, replica, "routes:old"); empty != "" || kept != "1" {
		t.Fatalf("got %q in the master and %q in its replica, want it empty and \"1\" kept", empty, kept)
	}

	set(t, master, "routes:new", "2")
	if err := master.OpenGate(t.Context(), "replica", runID(t, master)); err != nil {
		t.Fatalf("OpenGate: %v", err)
	}

	testkit.Eventually(t, "the replica to take the new data", func() bool {
		return get(t, replica, "routes:new") == "2" && get(t, replica, "routes:old") == ""
	})
}

func TestServer_GateStaysShutForAnotherRun(t *testing.T) {
	cfg := config(testkit.ShortDir(t), "routes")
	cfg.Users = []User{{Name: "replica", Password: "p", Rules: ReplicaRules}}
	s := runServer(t, cfg)
	verified := runID(t, s)
	killAndAwait(t, s)

	err := s.OpenGate(t.Context(), "replica", verified)

	wantContains(t, err, verified, "started again")
	if err := as(t, s, "replica", "p").Ping(t.Context()).Err(); !isWrongPassword(err) {
		t.Errorf("got %v, want the user shut out", err)
	}
}

func TestServer_ReplicaServesFromItsOwnDiskWhileTheMasterIsAway(t *testing.T) {
	master, replica := pair(t)
	if err := replica.Client().BgSave(t.Context()).Err(); err != nil {
		t.Fatalf("save: %v", err)
	}
	testkit.Eventually(t, "the dump", func() bool {
		info := replica.Client().InfoMap(t.Context(), "persistence")
		return info.Item("Persistence", "rdb_bgsave_in_progress") == "0" && info.Item("Persistence", "rdb_last_bgsave_status") == "ok"
	})
	if err := master.daemon.Stop(t.Context()); err != nil {
		t.Fatalf("stop the master: %v", err)
	}

	killAndAwait(t, replica)

	if got := get(t, replica, "routes:old"); got != "1" {
		t.Errorf("got %q, want \"1\" from the replica's own disk", got)
	}
}

func TestServer_GateIsForKnownUsersOnly(t *testing.T) {
	s := openServer(t, config(testkit.ShortDir(t), "routes"))

	err := s.OpenGate(t.Context(), "nobody", runID(t, s))

	wantContains(t, err, `"nobody"`)
	users, err := s.Client().ACLUsers(t.Context()).Result()
	if err != nil || len(users) != 2 {
		t.Errorf("got users %v (%v), want admin and default alone", users, err)
	}
}

func TestRules_AllowWhatIsNeededAndNoMore(t *testing.T) {
	cfg := config(testkit.ShortDir(t), "routes")
	cfg.Users = []User{
		{Name: "replica", Password: "p", Rules: ReplicaRules, On: true},
		{Name: "router", Password: "p", Rules: RouterRules, On: true},
	}
	s := openServer(t, cfg)
	for _, c := range []struct {
		user    string
		command []any
		allowed bool
	}{
		{"replica", []any{"ping"}, true},
		{"replica", []any{"psync", "?", "-1"}, true},
		{"replica", []any{"get", "routes:meta"}, false},
		{"replica", []any{"info"}, false},
		{"router", []any{"hgetall", "routes:meta"}, true},
		{"router", []any{"zrangebyscore", "routes:changes", "1", "2"}, true},
		{"router", []any{"subscribe", "routes:changed"}, true},
		{"router", []any{"subscribe", "other"}, false},
		{"router", []any{"get", "other"}, false},
		{"router", []any{"set", "routes:a", "1"}, false},
		{"router", []any{"eval", "return 1", "0"}, false},
		{"router", []any{"config", "get", "masterauth"}, false},
	} {
		got, err := s.Client().Do(t.Context(), append([]any{"acl", "dryrun", c.user}, c.command...)...).Text()

		if allowed := err == nil && got == "OK"; allowed != c.allowed {
			t.Errorf("%s: %v: got %q, %v; want allowed: %v", c.user, c.command, got, err, c.allowed)
		}
	}
	if err := as(t, s, "router", "p").Get(t.Context(), "routes:none").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("got %v, want to be logged in and find nothing", err)
	}
}
