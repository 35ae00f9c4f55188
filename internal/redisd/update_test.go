package redisd

import (
	"os"
	"testing"

	"aorta/internal/testkit"
)

func TestServer_AdoptedUnchangedKeepsTheGateOpen(t *testing.T) {
	cfg := config(testkit.ShortDir(t), "routes")
	cfg.Users = []User{{Name: "replica", Password: "p", Rules: ReplicaRules}}
	first := openServer(t, cfg)
	if err := first.OpenGate(t.Context(), "replica", runID(t, first)); err != nil {
		t.Fatalf("OpenGate: %v", err)
	}

	second := openServer(t, cfg)

	if runID(t, first) != runID(t, second) {
		t.Errorf("the server was restarted, want it adopted")
	}
	if err := as(t, second, "replica", "p").Ping(t.Context()).Err(); err != nil {
		t.Errorf("got %v, want the gate still open", err)
	}
}

func TestServer_ChangedUsersAreAppliedLive(t *testing.T) {
	cfg := config(testkit.ShortDir(t), "routes")
	cfg.Users = []User{
		{Name: "changed", Password: "p", Rules: "~a:* +get", On: true},
		{Name: "dropped", Password: "p", Rules: "+ping", On: true},
	}
	first := openServer(t, cfg)
	if err := first.Client().ACLSetUser(t.Context(), "foreign", "on", ">p", "+ping").Err(); err != nil {
		t.Fatalf("add a user at run time: %v", err)
	}
	cfg.Users = []User{
		{Name: "changed", Password: "new", Rules: "+ping", On: true},
		{Name: "added", Password: "p", Rules: "+ping", On: true},
	}

	second := openServer(t, cfg)

	if runID(t, first) != runID(t, second) {
		t.Errorf("the server was restarted, want the users changed as it runs")
	}
	for user, password := range map[string]string{"changed": "new", "added": "p", "foreign": "p"} {
		if err := as(t, second, user, password).Ping(t.Context()).Err(); err != nil {
			t.Errorf("%s: got %v, want it to log in", user, err)
		}
	}
	for user, password := range map[string]string{"changed": "p", "dropped": "p"} {
		if err := as(t, second, user, password).Ping(t.Context()).Err(); !isWrongPassword(err) {
			t.Errorf("%s: got %v, want it refused", user, err)
		}
	}
}

func TestServer_RestartedWhenItCannotBeChangedLive(t *testing.T) {
	for name, change := range map[string]func(*testing.T, *Config){
		"listener":       func(t *testing.T, c *Config) { *c = withTCP(t, *c) },
		"admin password": func(_ *testing.T, c *Config) { c.AdminPassword = "another" },
		"unknown before": func(t *testing.T, c *Config) {
			if err := os.WriteFile(c.DataDir+"/redis.applied.json", []byte("{"), 0o600); err != nil {
				t.Fatalf("break the file: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(testkit.ShortDir(t), "routes")
			first := openServer(t, cfg)
			set(t, first, "k", "v")
			pid := first.Pid()
			change(t, &cfg)

			second := openServer(t, cfg)

			if got := get(t, second, "k"); second.Pid() == pid || got != "v" {
				t.Errorf("got process %d after %d with %q, want another one with \"v\"", second.Pid(), pid, got)
			}
		})
	}
}

func TestServer_AnotherMasterIsFollowedLive(t *testing.T) {
	root := testkit.ShortDir(t)
	follower := User{Name: "replica", Password: "p", Rules: ReplicaRules, On: true}
	masters := map[string]string{}
	for _, name := range []string{"one", "two"} {
		cfg := withTCP(t, config(root, name))
		cfg.Users = []User{follower}
		set(t, openServer(t, cfg), "who", name)
		masters[name] = cfg.Addresses[0]
	}
	cfg := config(root, "rep")
	cfg.Persist = RDBOnly
	cfg.ReplicaOf = &Master{Addr: masters["one"], User: "replica", Password: "p"}
	first := openServer(t, cfg)
	testkit.Eventually(t, "the first master's data", func() bool { return get(t, first, "who") == "one" })
	before := runID(t, first)
	cfg.ReplicaOf = &Master{Addr: masters["two"], User: "replica", Password: "p"}

	second := openServer(t, cfg)

	testkit.Eventually(t, "the second master's data", func() bool { return get(t, second, "who") == "two" })
	if runID(t, second) != before {
		t.Errorf("the replica was restarted, want it to follow as it runs")
	}
}
