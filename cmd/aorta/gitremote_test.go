package main

import (
	"os/exec"
	"strings"
	"testing"
)

// pushes fails the test unless the repository pushes to the app with the context's
// token.
func (c *cli) pushes(api *fakeAPI, app string) {
	c.tb.Helper()
	if got, want := c.git("remote", "get-url", "--push", "aorta"), api.URL+"/git/"+app+".git"; got != want {
		c.tb.Errorf("got remote %q, want %q", got, want)
	}
	if got, want := c.git("config", "--get-all", "remote.aorta.fetch"), "+refs/heads/*:refs/remotes/aorta/*"; got != want {
		c.tb.Errorf("got %q fetched, want %q", got, want)
	}
	helpers := strings.Split(c.git("config", "--local", "--get-all", "credential."+api.URL+".helper"), "\n")
	if got, want := helpers[len(helpers)-1], `!'/opt/it'\''s/aorta' git-credential --context 'local'`; got != want || len(helpers) > 2 {
		c.tb.Errorf("got helpers %q, want none of elsewhere and %q", helpers, want)
	}
}

func TestGitRemote_SetsUpAClone(t *testing.T) {
	cases := []struct {
		name, args string
		before     [][]string // what git is told first
		says       string
	}{
		{"fresh", "git:remote -a shop", nil, "deploy: git push aorta main"},
		{"by its words", "git remote shop", nil, "deploy: git push aorta main"},
		{"remote without helper", "git:remote", [][]string{{"remote", "add", "aorta", "$API/git/shop.git"}}, "git push"},
		{"helper without remote", "git:remote -a shop", [][]string{{"config", "credential.$API.helper", "!aorta git-credential"}}, "git push"},
		{"old URL", "git:remote -a shop", [][]string{{"remote", "add", "aorta", "http://old/git/shop.git"}}, "was http://old/git/shop.git"},
		{"other app", "git:remote -a shop", [][]string{{"remote", "add", "aorta", "$API/git/other.git"}}, "was "},
		{"remote without URL", "git:remote -a shop", [][]string{{"config", "remote.aorta.fetch", "+x:y"}}, "git push"},
		{"several URLs", "git:remote -a shop", [][]string{{"remote", "add", "aorta", "http://a/git/a.git"}, {"config", "--add", "remote.aorta.url", "http://b/git/b.git"}}, "was "},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			api := shop(t)
			c := newCLI(t, api)
			c.git("init", "-q")
			for _, args := range tc.before {
				for i, a := range args {
					args[i] = strings.ReplaceAll(a, "$API", api.URL)
				}
				c.git(args...)
			}

			got := c.run(strings.Fields(tc.args)...)
			again := c.run(strings.Fields(tc.args)...)

			wantCode(t, got, 0)
			wantCode(t, again, 0)
			wantIn(t, "stderr", got.err, tc.says)
			if strings.Contains(again.err, "was") {
				t.Errorf("again: got %q, want the same remote to be no news", again.err)
			}
			c.pushes(api, "shop")
		})
	}
}

func TestGitRemote_NamesWhatIsMissing(t *testing.T) {
	api := shop(t)
	c := newCLI(t, api)
	nowhere := c.run("git:remote", "-a", "shop")
	c.git("init", "-q")

	noApp := c.run("git:remote", "-a", "gone")
	whichApp := c.run("git:remote")

	wantCode(t, nowhere, 4)
	wantIn(t, "no repository", nowhere.err, "no git repository here", "git init")
	wantCode(t, noApp, 4)
	wantCode(t, whichApp, 2)
	wantIn(t, "no app given", whichApp.err, "which app?")
	if out, err := exec.Command("git", "-C", c.dir, "remote").CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("got remotes %q, %v, want none", out, err)
	}
}

// It is set from any directory of the working copy.
func TestGitRemote_IsOfTheRepositoryAroundIt(t *testing.T) {
	api := shop(t)
	c := newCLI(t, api)
	c.git("init", "-q")
	top := c.dir
	c.file("deep/er/x", "")
	c.dir += "/deep/er"

	got := c.run("git:remote", "-a", "shop")

	wantCode(t, got, 0)
	c.dir = top
	c.pushes(api, "shop")
}
