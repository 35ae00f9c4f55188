package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"aorta/pacemaker/cluster"
	"aorta/web/client/contexts"
	"aorta/web/wire"
)

func TestParseRemote_FindsTheApp(t *testing.T) {
	cases := []struct{ in, app, server string }{
		{"http://127.0.0.1:7420/git/shop.git", "shop", "http://127.0.0.1:7420"},
		{"https://aorta.example.com/git/shop.git/", "shop", "https://aorta.example.com"},
		{"https://example.com/paas/git/shop", "shop", "https://example.com/paas"},
		{"ssh://git@example.com:2222/shop.git", "shop", ""},
		{"https://github.com/ada/shop.git", "", ""},
		{"git@github.com:ada/shop.git", "", ""},
		{"ssh://git@example.com/ada/shop.git", "", ""},
		{"file:///git/shop.git", "", ""},
		{"http://h/git/../etc.git", "", ""},
		{"http://h/git/Shop!.git", "", ""},
		{"", "", ""},
	}
	for _, tc := range cases {
		got, ok := parseRemote(tc.in)

		if ok != (tc.app != "") || ok && (got.app != tc.app || got.server != tc.server) {
			t.Errorf("parseRemote(%q): got %+v, %t, want app %q at %q", tc.in, got, ok, tc.app, tc.server)
		}
	}
}

func FuzzParseRemote(f *testing.F) {
	f.Add("http://127.0.0.1:7420/git/shop.git")
	f.Add("ssh://git@h:22/shop.git")
	f.Fuzz(func(t *testing.T, in string) {
		if r, ok := parseRemote(in); ok && cluster.ValidateName("app", r.app) != nil {
			t.Fatalf("parseRemote(%q) gave the app %q", in, r.app)
		}
	})
}

func TestAppsCreate_SetsUpTheRepository(t *testing.T) {
	api := shop(t)
	api.on("POST /apps", 201, wire.App{Name: "shop", URL: "http://shop.example.com"})
	c := newCLI(t, api)
	c.git("init", "-q")

	got := c.run("apps", "create", "shop")
	again := c.run("apps:create", "shop")
	other := c.run("apps:create", "other")

	wantCode(t, got, 0)
	url := api.URL + "/git/shop.git"
	if have := c.git("config", "--get", "remote.aorta.url"); have != url {
		t.Errorf("got remote %q, want %q", have, url)
	}
	helpers := c.git("config", "--local", "--get-all", "credential."+api.URL+".helper")
	if want := `!'/opt/it'\''s/aorta' git-credential --context 'local'`; helpers != want && helpers != "\n"+want {
		t.Errorf("got helpers %q, want the empty one and %q", helpers, want)
	}
	raw, err := os.ReadFile(c.dir + "/.git/config")
	if err != nil || strings.Contains(string(raw), "secret") {
		t.Errorf("got %v, %s, want no token in the repository", err, raw)
	}
	wantCode(t, again, 0)
	wantCode(t, other, 0)
	wantIn(t, "other", other.err+"x", "created shop") // the fake API names every app so
	if strings.Contains(again.err, "exists already") {
		t.Errorf("again: got %q, want the same remote to be no news", again.err)
	}
}

func TestAppsCreate_LeavesAnotherRemoteAlone(t *testing.T) {
	api := shop(t)
	api.on("POST /apps", 201, wire.App{Name: "shop"})
	c := newCLI(t, api)
	c.git("init", "-q")
	c.git("remote", "add", "aorta", "http://elsewhere/git/old.git")

	got := c.run("apps", "create", "shop", "--json")

	wantCode(t, got, 0)
	wantIn(t, "stderr", got.err, "already exists (http://elsewhere/git/old.git)", "to change it: aorta git:remote -a shop")
	wantIn(t, "stdout", got.out, `"name": "shop"`)
	if have := c.git("config", "--get", "remote.aorta.url"); have != "http://elsewhere/git/old.git" {
		t.Errorf("got remote %q, want the old one", have)
	}
}

func TestAppsCreate_OutsideARepositorySaysNothingOfGit(t *testing.T) {
	api := shop(t)
	api.on("POST /apps", 201, wire.App{Name: "shop"})
	c := newCLI(t, api)

	got := c.run("apps", "create", "shop")

	if got.code != 0 || strings.Contains(got.err, "git") {
		t.Errorf("got %+v, want no word of git", got)
	}
}

func TestAppsRename_MovesTheRemote(t *testing.T) {
	api := shop(t)
	api.on("PATCH /apps/shop", 200, wire.App{Name: "store", URL: "http://store.example.com"})
	c := newCLI(t, api)
	c.git("init", "-q")
	c.git("remote", "add", "aorta", api.URL+"/git/shop.git")

	got := c.run("apps", "rename", "store")

	wantCode(t, got, 0)
	if w := api.writes(); len(w) != 1 || w[0] != `PATCH /apps/shop {"name":"store","version":7}` {
		t.Errorf("got writes %v, want the version that was read", w)
	}
	if have := c.git("config", "--get", "remote.aorta.url"); have != api.URL+"/git/store.git" {
		t.Errorf("got remote %q, want the new name's", have)
	}
}

func TestApp_IsFoundByFlagThenEnvironmentThenRemote(t *testing.T) {
	api := shop(t)
	c := newCLI(t, api)
	c.git("init", "-q")
	c.git("remote", "add", "aorta", api.URL+"/git/remote.git")
	steps := []struct{ env, flag, want string }{
		{"", "", "GET /apps/remote/config"}, {"fromenv", "", "GET /apps/fromenv/config"}, {"fromenv", "flag", "GET /apps/flag/config"},
	}
	for _, step := range steps {
		c.env["AORTA_APP"] = step.env
		args := []string{"config"}
		if step.flag != "" {
			args = append(args, "-a", step.flag)
		}

		c.run(args...)

		if !api.asked(step.want) {
			t.Errorf("env %q, flag %q: want %s asked", step.env, step.flag, step.want)
		}
	}
}

func TestApp_FromARemoteMeansThatRemotesCluster(t *testing.T) {
	here, there := shop(t), shop(t)
	c := newCLI(t, here)
	c.context("there", contexts.Context{URL: there.URL, Token: "secret"})
	c.git("init", "-q")
	c.git("remote", "add", "aorta", there.URL+"/git/shop.git")

	byRemote := c.run("config")
	byFlag := c.run("config", "--context", "local")

	wantCode(t, byRemote, 0)
	wantCode(t, byFlag, 0)
	if !there.asked("GET /apps/shop/config") || !here.asked("GET /apps/shop/config") {
		t.Errorf("got %v here and %v there, want the remote's cluster unless a flag says otherwise", here.got, there.got)
	}
}

func TestGitCredential_GivesTheTokenToItsClusterAlone(t *testing.T) {
	api := shop(t)
	c := newCLI(t, api)
	host := strings.TrimPrefix(api.URL, "http://")
	cases := []struct{ name, action, input, want string }{
		{"its own", "get", "protocol=http\nhost=" + host + "\n\n", "username=aorta\npassword=secret\n"},
		{"another host", "get", "protocol=http\nhost=evil.example\n\n", ""},
		{"another protocol", "get", "protocol=https\nhost=" + host + "\n\n", ""},
		{"nothing", "get", "", ""},
		{"store", "store", "protocol=http\nhost=" + host + "\npassword=x\n\n", ""},
		{"erase", "erase", "protocol=http\nhost=" + host + "\n\n", ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			got := c.runWith(tc.input, "git-credential", "--context", "local", tc.action)

			if got.code != 0 || got.out != tc.want {
				t.Errorf("got %+v, want %q", got, tc.want)
			}
		})
	}
}

func builtCLI(t *testing.T) (bin string) {
	t.Helper()
	bin = t.TempDir() + "/the aorta"
	build := exec.Command("go", "build", "-trimpath", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it ships, and is in the build cache
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// TestGitCredential_WorksUnderGit builds the program and lets git itself ask it.
func TestGitCredential_WorksUnderGit(t *testing.T) {
	bin := builtCLI(t)
	api := shop(t)
	api.on("POST /apps", 201, wire.App{Name: "shop"})
	c := newCLI(t, api)
	c.git("init", "-q")
	p := c.program()
	p.Executable = bin
	var out, errs strings.Builder
	if code := p.Run(t.Context(), []string{"apps", "create", "shop"}, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("create: exit %d: %s", code, errs.String())
	}

	ask := exec.Command("git", "credential", "fill")
	ask.Dir = c.dir
	ask.Env = append(os.Environ(), "HOME="+c.env["HOME"], "GIT_TERMINAL_PROMPT=0")
	ask.Stdin = strings.NewReader("url=" + api.URL + "/git/shop.git\n\n")
	got, err := ask.CombinedOutput()

	if err != nil || !strings.Contains(string(got), "username=aorta\npassword=secret\n") {
		t.Errorf("git credential fill: got %s, %v, want the token", got, err)
	}
}
