package redisd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

func TestServer_DataSurvivesKill(t *testing.T) {
	s := runServer(t, config(testkit.ShortDir(t), "jobs"))
	set(t, s, "k", "v")
	// everysec: the write is on disk once the server says so.
	testkit.Eventually(t, 5e9, "the write to be on disk", func() bool {
		info, err := s.Client().Info(t.Context(), "persistence").Result()
		f := parseInfo(info)
		return err == nil && f["aof_pending_bio_fsync"] == "0" && f["aof_buffer_length"] == "0"
	})

	killAndAwait(t, s)

	if got := get(t, s, "k"); got != "v" || s.Restarts() != 1 {
		t.Errorf("got %q after %d restarts, want \"v\" after 1", got, s.Restarts())
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
