package redisd

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
)

func TestServer_HasItsScriptsAndNoneBesideForWhoMayOnlyCallThem(t *testing.T) {
	t.Parallel()
	cfg := config(testkit.ShortDir(t), "stats")
	ours, foreign := redis.NewScript("return 'ours'"), redis.NewScript("return 'foreign'")
	cfg.Users = []User{{Name: "tailer", Password: "p", Rules: "+evalsha +eval", On: true}}
	before := openServer(t, cfg)
	testkit.Must(t, foreign.Eval(t.Context(), as(t, before, "tailer", "p"), nil).Err())
	cfg.Scripts = []string{"return 'ours'"}
	cfg.Users = []User{{Name: "tailer", Password: "p", Rules: "+evalsha", On: true}}

	s := runServer(t, cfg)
	tailer := as(t, s, "tailer", "p")
	works := func() bool { return ours.EvalSha(t.Context(), tailer, nil).Val() == "ours" }

	if !works() || s.Pid() != before.Pid() {
		t.Error("an adopted server lacks its scripts, or was restarted for them")
	}
	if err := foreign.EvalSha(t.Context(), tailer, nil).Err(); !redis.HasErrorPrefix(err, "NOSCRIPT") {
		t.Errorf("a script of before: got %v, want it unknown", err)
	}
	if err := foreign.Eval(t.Context(), tailer, nil).Err(); !redis.HasErrorPrefix(err, "NOPERM") {
		t.Errorf("a script of one's own: got %v, want it refused", err)
	}
	killAndAwait(t, s)
	if !works() {
		t.Error("a server that was started again lacks its scripts")
	}
	testkit.Must(t, s.Client().ScriptFlush(t.Context()).Err())
	testkit.Eventually(t, "the scripts to be back", works)
}
