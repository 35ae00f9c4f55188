package redisd

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
)

func TestServer_DataSurvivesKill(t *testing.T) {
	s := runServer(t, config(testkit.ShortDir(t), "jobs"))
	set(t, s, "k", "v")
	// everysec: the write is on disk once the server says so.
	testkit.Eventually(t, "the write to be on disk", func() bool {
		info := s.Client().InfoMap(t.Context(), "persistence")
		return info.Item("Persistence", "aof_pending_bio_fsync") == "0" && info.Item("Persistence", "aof_buffer_length") == "0"
	})

	killAndAwait(t, s)

	if got := get(t, s, "k"); got != "v" || s.Restarts() != 1 {
		t.Errorf("got %q after %d restarts, want \"v\" after 1", got, s.Restarts())
	}
}

// A server that loads its AOF runs what is in it as its default user: one that
// may do nothing would lose every transaction and script without a word.
func TestServer_TransactionsAndScriptsSurviveARestart(t *testing.T) {
	cfg := config(testkit.ShortDir(t), "stats")
	s := openServer(t, cfg)
	_, err := s.Client().TxPipelined(t.Context(), func(p redis.Pipeliner) error {
		p.Set(t.Context(), "tx:a", 1, 0)
		p.Publish(t.Context(), "channel", "message")
		p.Set(t.Context(), "tx:b", 1, 0)
		return nil
	})
	if err != nil {
		t.Fatalf("MULTI: %v", err)
	}
	if err := s.Client().Eval(t.Context(), "redis.call('SET', KEYS[1], 1) redis.call('SET', KEYS[2], 1) return 1", []string{"script:a", "script:b"}).Err(); err != nil {
		t.Fatalf("EVAL: %v", err)
	}
	set(t, s, "plain", "1")

	err = s.Stop(t.Context())
	s = openServer(t, cfg)

	kept, errKeys := s.Client().Keys(t.Context(), "*").Result()
	slices.Sort(kept)
	if want := []string{"plain", "script:a", "script:b", "tx:a", "tx:b"}; err != nil || errKeys != nil || !slices.Equal(kept, want) {
		t.Errorf("got %v (%v, %v) after a restart, want %v", kept, err, errKeys, want)
	}
	if said, err := os.ReadFile(filepath.Join(s.cfg.DataDir, "redis.log")); err != nil || strings.Contains(string(said), "CRITICAL") {
		t.Errorf("got the log (%v):\n%s\nwant nothing critical in it", err, said)
	}
	stranger := redis.NewClient(&redis.Options{Network: "unix", Addr: s.Socket(), DisableIdentity: true})
	defer stranger.Close()
	if err := stranger.Get(t.Context(), "plain").Err(); err == nil || !strings.Contains(err.Error(), "NOAUTH") {
		t.Errorf("got %v for who has not logged in, want NOAUTH", err)
	}
}

func TestServer_ClustersSideBySide(t *testing.T) {
	one := openServer(t, withTCP(t, config(testkit.ShortDir(t), "routes")))
	two := openServer(t, withTCP(t, config(testkit.ShortDir(t), "routes")))
	set(t, one, "k", "one")
	set(t, two, "k", "two")

	err := one.Stop(t.Context())

	if got := get(t, two, "k"); err != nil || got != "two" {
		t.Errorf("got %q and stop error %v, want the second to go on with \"two\"", got, err)
	}
}

func TestServer_FilesAndProcessHideSecrets(t *testing.T) {
	cfg := config(testkit.ShortDir(t), "routes")
	cfg.Users = []User{{Name: "router", Password: "canary", Rules: RouterRules, On: true}}
	s := openServer(t, cfg)

	info, err := os.Stat(s.confPath())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v (%v) of redis.conf, want 0600", info.Mode(), err)
	}
	for _, name := range []string{"redis.conf", "redis.log", "redis.applied.json"} {
		b, err := os.ReadFile(filepath.Join(cfg.DataDir, name))
		if err != nil || strings.Contains(string(b), "canary") || strings.Contains(string(b), "secret") {
			t.Errorf("got %s (%v), want it without passwords:\n%s", name, err, b)
		}
	}
	if info, err := os.Stat(s.Socket()); err != nil || info.Mode().Perm() != 0o777 {
		t.Errorf("got socket mode %v (%v), want 0777", info.Mode(), err)
	}
}

func TestServer_UnwritableDiskNamesThePath(t *testing.T) {
	file := filepath.Join(testkit.ShortDir(t), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatalf("write: %v", err)
	}
	cfg := config(testkit.ShortDir(t), "routes")
	cfg.DataDir = filepath.Join(file, "data")

	err := newServer(t, cfg).Open(t.Context())

	wantContains(t, err, "routes", cfg.DataDir, "not a directory", "bytes free")
}

func TestServer_BadExtraLineShowsWhatTheServerSays(t *testing.T) {
	cfg := config(testkit.ShortDir(t), "routes")
	cfg.Extra = []string{"no-such-directive yes"}

	err := newServer(t, cfg).Open(t.Context())

	wantContains(t, err, "no-such-directive", filepath.Join(cfg.DataDir, "redis.log"))
}

// A daemon whose starter died before it wrote the record is found by what it
// holds open: Redis overwrites its environment.
func TestServer_AdoptedWithoutARecord(t *testing.T) {
	cfg := config(testkit.ShortDir(t), "routes")
	first := openServer(t, cfg)
	if err := os.Remove(filepath.Join(cfg.StateDir, "redis-routes.pid.json")); err != nil {
		t.Fatalf("remove record: %v", err)
	}

	second := openServer(t, cfg)

	if second.Pid() != first.Pid() {
		t.Errorf("got process %d, want %d adopted", second.Pid(), first.Pid())
	}
}

func TestFreePort_IsFreeAndOutsideOfOtherRanges(t *testing.T) {
	for _, ip := range []string{"127.0.0.1", "127.0.0.2"} {
		port, err := FreePort(ip)

		if err != nil || port < firstPort || port >= firstPort+ports {
			t.Errorf("got %d, %v; want a port from %d on", port, err, firstPort)
		}
	}
	if _, err := FreePort("192.0.2.1"); err == nil {
		t.Errorf("got no error for an address that isn't ours, want one")
	}
}
