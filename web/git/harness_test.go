package git

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aorta/internal/gitrepo"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/access"
)

// TestMain lets git run this very binary as its hook.
func TestMain(m *testing.M) {
	if IsHook(os.Args[0]) {
		err := RunHook(context.Background(), HookIO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			syscall.Exit(1)
		}
		// os.Exit would give the race detector its second to report.
		syscall.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

const (
	goodToken = "good-token"
	readToken = "read-token"
)

// fakeBackend has one app, "shop"; what its pushes do is up to the test.
type fakeBackend struct {
	repo gitrepo.Repo
	push func(ctx context.Context, p Push, out io.Writer) error

	mu     sync.Mutex // guards pushes
	pushes []Push
}

func (f *fakeBackend) Authenticate(_ context.Context, _, password string) (access.User, error) {
	switch password {
	case goodToken, readToken:
		return access.User{Name: password}, nil
	case "down":
		return access.User{}, cluster.Unavailable("the database is busy; try again")
	}
	return access.User{}, cluster.Forbidden("this token is not known (make one: aorta tokens create)")
}

func (f *fakeBackend) Repo(_ context.Context, who access.User, app string, write bool) (cluster.ID, gitrepo.Repo, error) {
	if app != "shop" {
		return "", gitrepo.Repo{}, cluster.NotFound("app %q does not exist (create it: aorta apps create %s)", app, app)
	}
	if write && who.Name == readToken {
		return "", gitrepo.Repo{}, cluster.Forbidden("this token may only read app %q", app)
	}
	return "app-id", f.repo, nil
}

func (f *fakeBackend) Push(ctx context.Context, p Push, out io.Writer) error {
	f.mu.Lock()
	f.pushes = append(f.pushes, p)
	f.mu.Unlock()
	if f.push != nil {
		return f.push(ctx, p, out)
	}
	return f.repo.MoveRef(ctx, p.Ref, p.Old, p.New)
}

func (f *fakeBackend) seen() []Push {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Push(nil), f.pushes...)
}

// lab is an endpoint over HTTP with one app, and a working copy.
type lab struct {
	*fakeBackend
	url  string
	copy string // directory of the working copy
	e    *Endpoint
	stop func() // ends Run and waits for it
}

func newLab(tb testing.TB, maxPack int64) *lab {
	tb.Helper()
	dir := testkit.ShortDir(tb)
	repo, err := gitrepo.Init(tb.Context(), filepath.Join(dir, "shop.git"))
	if err != nil {
		tb.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	l := &lab{fakeBackend: &fakeBackend{repo: repo}, copy: filepath.Join(dir, "copy")}
	e, err := New(l, Config{
		HookSocket: filepath.Join(dir, "hook.sock"), HookBinary: self,
		HooksDir: filepath.Join(dir, "hooks"), MaxPack: maxPack,
	}, slog.New(slog.NewTextHandler(tb.Output(), nil)))
	if err != nil {
		tb.Fatal(err)
	}
	l.e = e
	l.run(tb, e)
	srv := httptest.NewServer(e)
	tb.Cleanup(srv.Close)
	l.url = srv.URL
	run(tb, dir, "init", "-q", "-b", "main", "copy")
	l.git(tb, "remote", "add", "aorta", l.remote("shop", goodToken))
	return l
}

// run starts the endpoint's hook server and waits until it listens.
func (l *lab) run(tb testing.TB, e *Endpoint) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	l.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("Run: %v", err)
		}
	})
	tb.Cleanup(l.stop)
	testkit.Eventually(tb, "the hook socket", func() bool {
		_, err := os.Stat(e.cfg.HookSocket)
		return err == nil
	})
}

func (l *lab) remote(app, token string) string {
	u, err := url.Parse(l.url)
	if err != nil {
		panic(err)
	}
	u.User = url.UserPassword("me", token)
	return u.String() + "/git/" + app + ".git"
}

// commit makes a commit with one file of this content and gives its id.
func (l *lab) commit(tb testing.TB, content string) string {
	tb.Helper()
	if err := os.WriteFile(filepath.Join(l.copy, "file.txt"), []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	l.git(tb, "add", ".")
	l.git(tb, "commit", "-q", "-m", "change")
	return strings.TrimSpace(l.git(tb, "rev-parse", "HEAD"))
}

// git runs a command that must succeed in the working copy.
func (l *lab) git(tb testing.TB, args ...string) string {
	tb.Helper()
	return run(tb, l.copy, args...)
}

// try gives what the pusher sees, and whether git exited with 0.
func (l *lab) try(tb testing.TB, args ...string) (string, bool) {
	tb.Helper()
	out, err := client(tb, l.copy, args...).CombinedOutput()
	return string(out), err == nil
}

func client(tb testing.TB, dir string, args ...string) *exec.Cmd {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// run gives the stdout of a git command that must succeed.
func run(tb testing.TB, dir string, args ...string) string {
	tb.Helper()
	cmd := client(tb, dir, args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("git %v: %v\n%s", args, err, complaint.String())
	}
	return string(out)
}

func wantText(tb testing.TB, got string, want ...string) {
	tb.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			tb.Errorf("output: got\n%s\nwant it to hold %q", got, w)
		}
	}
}

// follow gives a command's stderr line by line as it comes; the channel is
// closed at its end.
func follow(tb testing.TB, cmd *exec.Cmd) <-chan string {
	tb.Helper()
	pipe, err := cmd.StderrPipe()
	if err != nil {
		tb.Fatal(err)
	}
	lines := make(chan string, 100)
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(pipe); in.Scan(); {
			lines <- in.Text()
		}
	}()
	return lines
}

// await reads lines until one holds text.
func await(tb testing.TB, lines <-chan string, text string) {
	tb.Helper()
	ctx := testkit.Bounded(tb)
	for {
		select {
		case l, ok := <-lines:
			if !ok {
				tb.Fatalf("output ended without %q", text)
			}
			if strings.Contains(l, text) {
				return
			}
		case <-ctx.Done():
			tb.Fatalf("no line with %q: %v", text, ctx.Err())
		}
	}
}
