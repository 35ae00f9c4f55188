package push_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/git"
	"aorta/web/internal/rig"
	"aorta/web/push"
)

func TestMain(m *testing.M) { rig.Main(m) }

// remote is git's endpoint over a rig with the app "shop", which has one commit.
type remote struct {
	*rig.Rig
	url  string
	copy string // a working copy of the app
}

func newRemote(tb testing.TB) *remote {
	tb.Helper()
	r := &remote{Rig: rig.New(tb), copy: tb.TempDir()}
	app, err := r.Pace.CreateApp(tb.Context(), "shop", "admin")
	testkit.Must(tb, err)
	repo, err := r.Pace.Sources.InitRepo(tb.Context(), app)
	testkit.Must(tb, err)
	dir := testkit.ShortDir(tb)
	endpoint, err := git.New(push.New(r.Pace), git.Config{
		HookSocket: filepath.Join(dir, "hook.sock"), HookBinary: "/bin/false", HooksDir: filepath.Join(dir, "hooks"),
	}, slog.New(slog.NewTextHandler(tb.Output(), nil)))
	testkit.Must(tb, err)
	server := httptest.NewServer(endpoint)
	tb.Cleanup(server.Close)
	r.url = server.URL
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"commit", "-q", "--allow-empty", "-m", "one"}, {"--git-dir", repo.Dir, "fetch", "-q", r.copy, "main:main"},
	} {
		if out, ok := r.git(tb.Context(), args...); !ok {
			tb.Fatalf("git %v: %s", args, out)
		}
	}
	return r
}

// git gives what a person sees in the working copy, and whether git ended well.
func (r *remote) git(ctx context.Context, args ...string) (string, bool) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.copy
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func (r *remote) address(token string) string {
	return strings.Replace(r.url, "://", "://"+url.UserPassword("me", token).String()+"@", 1) + "/git/shop.git"
}

func TestBackend_FetchingNeedsAViewerAndPushingADeveloper(t *testing.T) {
	t.Parallel()
	r := newRemote(t)

	for _, c := range []struct {
		token       string
		fetch, push bool
		refusal     string // what git shows of one
	}{
		{"revoked", false, false, "Authentication failed"},
		{rig.ViewerToken, true, false, `needs the role developer; eye has "viewer"`},
		{rig.DeveloperToken, true, true, ""},
		{rig.AdminToken, true, true, ""},
	} {
		fetched, mayFetch := r.git(t.Context(), "ls-remote", r.address(c.token), "main")
		pushed, mayPush := r.git(t.Context(), "push", "--dry-run", r.address(c.token), "main:new")

		if mayFetch != c.fetch || c.fetch && !strings.Contains(fetched, "refs/heads/main") {
			t.Errorf("fetch with %s: got %t, want %t:\n%s", c.token, mayFetch, c.fetch, fetched)
		}
		if mayPush != c.push {
			t.Errorf("push with %s: got %t, want %t:\n%s", c.token, mayPush, c.push, pushed)
		}
		if !c.push && !strings.Contains(pushed, c.refusal) {
			t.Errorf("push with %s: got\n%s\nwant it to say %q", c.token, pushed, c.refusal)
		}
	}
}

func TestBackend_AViewersPushEndsAtEveryRequest(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	for path, want := range map[string]int{
		"/info/refs?service=git-receive-pack": http.StatusForbidden,
		"/git-receive-pack":                   http.StatusForbidden,
		"/info/refs?service=git-upload-pack":  http.StatusOK,
	} {
		method := http.MethodGet
		if path == "/git-receive-pack" {
			method = http.MethodPost
		}
		req, err := http.NewRequestWithContext(t.Context(), method, r.url+"/git/shop.git"+path, nil)
		testkit.Must(t, err)
		req.SetBasicAuth("me", rig.ViewerToken)
		req.Header.Set("Content-Type", "application/x-git-receive-pack-request")

		resp, err := http.DefaultClient.Do(req)
		testkit.Must(t, err)
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()

		if err != nil || resp.StatusCode != want {
			t.Errorf("%s: got %d %s, %v; want %d", path, resp.StatusCode, body, err, want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
