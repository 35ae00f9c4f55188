package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/web/client/contexts"
)

func TestLogin_ChecksAndKeepsTheContext(t *testing.T) {
	api := shop(t)
	c := newCLI(t, nil)
	c.context("old", contexts.Context{URL: "http://old", Token: "t"})

	got := c.runWith("  secret  \n", "login", api.URL+"/", "--token", "-", "--name", "new")

	wantCode(t, got, 0)
	file, err := contexts.Load(c.configPath())
	want := contexts.File{Current: "new", Contexts: map[string]contexts.Context{"old": {URL: "http://old", Token: "t"}, "new": {URL: api.URL, Token: "secret"}}}
	if diff := cmp.Diff(want, file); diff != "" || err != nil {
		t.Errorf("file (-want +got), %v:\n%s", err, diff)
	}
	if strings.Contains(got.out+got.err, "secret") {
		t.Errorf("got %+v, want the token nowhere", got)
	}
}

func TestLogin_NamesTheContextByItsHost(t *testing.T) {
	api := shop(t)
	c := newCLI(t, nil)

	got := c.runWith("secret", "login", api.URL, "--token", "-")

	wantCode(t, got, 0)
	wantIn(t, "contexts", c.run("contexts").out, "*  "+strings.TrimPrefix(api.URL, "http://"))
}

func TestLogin_WrongTokenChangesNothing(t *testing.T) {
	api := shop(t)
	c := newCLI(t, nil)

	wrong := c.runWith("wrong\n", "login", api.URL, "--token", "-")
	empty := c.runWith("\n", "login", api.URL, "--token", "-")
	nowhere := c.runWith("x\n", "login", "127.0.0.1:1", "--token", "-")

	wantCode(t, wrong, 3)
	wantCode(t, empty, 2)
	wantCode(t, nowhere, 2)
	if _, err := os.Stat(c.configPath()); !os.IsNotExist(err) {
		t.Errorf("got %v, want no file", err)
	}
}

func TestContexts_UseMakesCurrent(t *testing.T) {
	api := shop(t)
	c := newCLI(t, api)
	c.context("other", contexts.Context{URL: "http://other", Token: "t"})

	got := c.run("contexts", "use", "other")

	wantCode(t, got, 0)
	wantIn(t, "contexts", c.run("contexts").out, "local  "+api.URL, "*  other  http://other")
	if out := c.run("contexts", "--json").out; strings.Contains(out, "secret") || strings.Contains(out, "oken") {
		t.Errorf("got %s, want no token shown", out)
	}
}

func TestContexts_RemoveForgetsTheTokenAndLeavesNoneCurrent(t *testing.T) {
	api := shop(t)
	c := newCLI(t, api)
	c.context("other", contexts.Context{URL: "http://other", Token: "t"})

	other := c.run("contexts:remove", "other")
	again := c.run("contexts:remove", "other")
	c.context("second", contexts.Context{URL: "http://second", Token: "t"})
	out := c.run("logout")
	none := c.run("whoami")
	twice := c.run("logout")

	wantCode(t, other, 0)
	wantCode(t, again, 4)
	wantCode(t, out, 0)
	wantIn(t, "logout", out.err, "removed context local", "aorta contexts use second")
	wantCode(t, none, 2)
	wantIn(t, "none current", none.err, "aorta contexts use second")
	wantCode(t, twice, 0)
	file, err := contexts.Load(c.configPath())
	want := contexts.File{Contexts: map[string]contexts.Context{"second": {URL: "http://second", Token: "t"}}}
	if diff := cmp.Diff(want, file); diff != "" || err != nil {
		t.Errorf("file (-want +got), %v:\n%s", err, diff)
	}
}

func TestEndpoint_FlagGoesBeforeEnvironmentBeforeFile(t *testing.T) {
	api := shop(t)
	cases := []struct {
		name string
		env  map[string]string
		args string
		code int
	}{
		{"file", nil, "whoami", 0},
		{"environment before file", map[string]string{"AORTA_TOKEN": "wrong"}, "whoami", 3},
		{"flag before environment", map[string]string{"AORTA_TOKEN": "wrong"}, "whoami --token secret", 0},
		{"named context before environment", map[string]string{"AORTA_TOKEN": "wrong"}, "whoami --context local", 0},
		{"environment's address with its own context's token", map[string]string{"AORTA_URL": api.URL + "/"}, "whoami", 0},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			c := newCLI(t, api)
			for k, v := range tc.env {
				c.env[k] = v
			}

			got := c.run(strings.Fields(tc.args)...)

			wantCode(t, got, tc.code)
		})
	}
}

func TestEndpoint_TokenStaysWithItsCluster(t *testing.T) {
	mine, other := shop(t), shop(t)
	c := newCLI(t, mine)

	got := c.run("whoami", "--url", other.URL)

	wantCode(t, got, 3)
	wantIn(t, "stderr", got.err, "no token for "+other.URL+";", "aorta login")
	if len(other.got) > 0 {
		t.Errorf("got %v asked, want nothing sent to the other cluster", other.got)
	}
}

func TestEndpoint_WorksWithoutAnyFile(t *testing.T) {
	api := shop(t)
	c := newCLI(t, nil)
	unknown := c.run("whoami")
	c.env = map[string]string{"AORTA_URL": api.URL, "AORTA_TOKEN": "secret"}

	got := c.run("whoami")

	wantCode(t, unknown, 2)
	wantIn(t, "stderr", unknown.err, "aorta login URL --token -")
	wantCode(t, got, 0)
}

func TestNodesToken_PrintsTheTokenAlone(t *testing.T) {
	api := shop(t)
	api.on("POST /node-tokens", 201, map[string]any{"id": "i", "uses": 1, "token": "join_S", "command": "aortad join https://10.0.0.1:7421 --token", "reachable": true, "expires_at": "2026-01-02T15:04:05Z"})
	c := newCLI(t, api)

	got := c.run("nodes", "token", "--name", "n3", "--roles", "heart,builder", "--tag", "disk=ssd", "--expires", "2d")

	if got.code != 0 || got.out != "join_S\n" {
		t.Errorf("got %+v, want the token alone", got)
	}
	wantIn(t, "stderr", got.err, "aortad join https://10.0.0.1:7421 --token join_S --data-dir /var/lib/aorta\n")
	if w := api.writes(); len(w) != 1 || w[0] != `POST /node-tokens {"name":"n3","roles":["heart","builder"],"tags":{"disk":"ssd"},"uses":1,"expires":"2d"}` {
		t.Errorf("got %v, want what was asked for", w)
	}
}

func TestDomains_AddAndRemove(t *testing.T) {
	api := shop(t)
	api.on("POST /apps/shop/domains", 201, map[string]string{"host": "a.example.com"})
	api.on("DELETE /apps/shop/domains/a.example.com", 204, nil)
	c := newCLI(t, api)

	added := c.run("domains", "add", "A.example.com", "-a", "shop")
	removed := c.run("domains:remove", "a.example.com", "-a", "shop")

	wantCode(t, added, 0)
	wantCode(t, removed, 0)
	want := []string{`POST /apps/shop/domains {"host":"a.example.com"}`, "DELETE /apps/shop/domains/a.example.com"}
	if diff := cmp.Diff(want, api.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

func TestRoute_SetsWhatIsNamedAndRestoresDefaults(t *testing.T) {
	api := shop(t)
	api.on("PATCH /apps/shop/route", 200, map[string]any{"timeout": 90, "idle_timeout": 3600, "max_body": 0, "set": []string{"timeout"}})
	c := newCLI(t, api)

	wantCode(t, c.run("route", "set", "--timeout", "90s", "--max-body", "1.5k", "-a", "shop"), 0)
	wantCode(t, c.run("route", "set", "--idle-timeout", "", "--max-body=", "-a", "shop"), 0)
	for _, bad := range [][]string{{}, {"--timeout", "1.5s"}, {"--timeout", "0"}, {"--timeout", "-5m"}, {"--idle-timeout", "soon"}, {"--max-body", "-1"}, {"--max-body", "0"}} {
		wantCode(t, c.run(append([]string{"route", "set", "-a", "shop"}, bad...)...), 2)
	}

	want := []string{`PATCH /apps/shop/route {"timeout":90,"max_body":1536}`, `PATCH /apps/shop/route {"idle_timeout":0,"max_body":0}`}
	if diff := cmp.Diff(want, api.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}
