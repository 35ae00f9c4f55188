package redisd

import (
	"os"
	"testing"

	"aorta/internal/testkit"
)

func TestServer_GetsBackWhatSomebodyRemoved(t *testing.T) {
	t.Parallel()
	cfg := config(testkit.ShortDir(t), "routes")
	cfg.Users = []User{
		{Name: "replica", Password: "p", Rules: ReplicaRules},
		{Name: "router", Password: "q", Rules: RouterRules, On: true},
	}
	s := runServer(t, cfg)
	testkit.Must(t, s.OpenGate(t.Context(), "replica", runID(t, s)))
	set(t, s, "routes:a", "1")
	works := func() bool {
		return as(t, s, "replica", "p").Ping(t.Context()).Err() == nil && as(t, s, "router", "q").Get(t.Context(), "routes:a").Val() == "1"
	}

	testkit.Must(t, s.Client().ACLDelUser(t.Context(), "replica").Err())
	testkit.Must(t, s.Client().ACLDelUser(t.Context(), "router").Err())
	testkit.Eventually(t, "the users to be back, the gate as it was", works)
	before := s.Pid()
	testkit.Must(t, os.RemoveAll(cfg.RunDir))
	testkit.Must(t, os.Remove(s.confPath()))
	testkit.Eventually(t, "the socket to be back", func() bool { return s.Pid() != before && s.ready(t.Context()) == nil })
	before = s.Pid()
	testkit.Must(t, s.Client().ACLSetUser(t.Context(), adminUser, "resetpass").Err())
	testkit.Eventually(t, "the administrator to be known again", func() bool { return s.Pid() != before && s.ready(t.Context()) == nil })

	if err := as(t, s, "replica", "p").Ping(t.Context()).Err(); !isWrongPassword(err) {
		t.Errorf("got %v after a start, want the gate shut", err)
	}
	if got := get(t, s, "routes:a"); got != "1" {
		t.Errorf("got %q, want the data as it was", got)
	}
}
