package gitrepo

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"aorta/pacemaker/cluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestInit_IsIdempotentAndRenewsConfig(t *testing.T) {
	r := newRepo(t)
	path := filepath.Join(r.Dir, "config")
	if err := os.WriteFile(path, []byte("[core]\n\tbare = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	again, err := Init(t.Context(), r.Dir)

	if err != nil || again != r {
		t.Fatalf("second Init: got %v, %v, want %v", again, err, r)
	}
	if got, _ := os.ReadFile(path); string(got) != config {
		t.Errorf("config after second Init: got %q, want ours", got)
	}
	if hooks, err := os.Stat(filepath.Join(r.Dir, "hooks")); err == nil {
		t.Errorf("repository has %s, want no hooks of its own", hooks.Name())
	}
}

func TestInit_RefusesRelativePath(t *testing.T) {
	_, err := Init(t.Context(), "some/where")

	wantCode(t, err, cluster.CodeInvalid)
}

func TestRepo_MoveRefComparesAndSets(t *testing.T) {
	r := newRepo(t)
	a := commit(t, r, "a")
	b := commit(t, r, "b", a)
	c := commit(t, r, "c", a)
	const ref = "refs/heads/main"
	steps := []struct {
		name     string
		old, new string
		code     cluster.Code // "" for success
		at       string       // afterwards
	}{
		{"create", "", a, "", a},
		{"create what is there", NoCommit, b, cluster.CodeConflict, a},
		{"move", a, b, "", b},
		{"move again", a, b, "", b},
		{"move from what is gone", a, c, cluster.CodeConflict, b},
		{"force", b, c, "", c},
		{"short id", c, "abc", cluster.CodeInvalid, c},
		{"delete", c, NoCommit, cluster.CodeInvalid, c},
	}
	for _, s := range steps {
		err := r.MoveRef(t.Context(), ref, s.old, s.new)

		if s.code == "" && err != nil {
			t.Fatalf("%s: got %v, want success", s.name, err)
		}
		if s.code != "" {
			wantCode(t, err, s.code)
		}
		if at, err := r.Ref(t.Context(), ref); at != s.at || err != nil {
			t.Fatalf("%s: ref is at %q, %v, want %q", s.name, at, err, s.at)
		}
	}
}

func TestRepo_MoveRefHasOneWinner(t *testing.T) {
	r := newRepo(t)
	base := commit(t, r, "base")
	const ref = "refs/heads/main"
	if err := r.MoveRef(t.Context(), ref, "", base); err != nil {
		t.Fatal(err)
	}
	const racers = 6
	errs := make(chan error, racers)
	for i := range racers {
		next := commit(t, r, fmt.Sprint("racer ", i), base)
		go func() { errs <- r.MoveRef(t.Context(), ref, base, next) }()
	}

	won := 0
	for range racers {
		err := <-errs
		if err == nil {
			won++
			continue
		}
		wantCode(t, err, cluster.CodeConflict)
	}

	if won != 1 {
		t.Errorf("winners: got %d, want 1", won)
	}
}

func TestRepo_MoveRefRefusesWhatIsNoCommit(t *testing.T) {
	r := newRepo(t)
	blob := git(t, r, "content", "hash-object", "-w", "--stdin")

	for _, id := range []string{blob, strings.Repeat("1", 40)} {
		if err := r.MoveRef(t.Context(), "refs/heads/main", "", id); err == nil {
			t.Errorf("main moved to %s, want an error", id)
		}
	}
}

func TestRepo_HeadFollowsTheFirstBranch(t *testing.T) {
	r := newRepo(t)

	err := r.MoveRef(t.Context(), "refs/heads/master", "", commit(t, r, "a"))

	if head := git(t, r, "", "symbolic-ref", "HEAD"); err != nil || head != "refs/heads/master" {
		t.Errorf("HEAD: got %s, %v, want refs/heads/master", head, err)
	}
}

func TestRepo_RefRefusesHostileNames(t *testing.T) {
	r := newRepo(t)
	for _, name := range []string{"", "main", "-x", "refs/heads/../../x", "refs/heads/*", "refs/heads/a b", "refs/heads/a\x00", "refs/heads/" + strings.Repeat("a", 300)} {
		_, err := r.Ref(t.Context(), name)

		wantCode(t, err, cluster.CodeInvalid)
	}
}

func TestRepo_RefIsNotWhatLiesBelowIt(t *testing.T) {
	r := newRepo(t)
	git(t, r, "", "update-ref", "refs/heads/main/below", commit(t, r, "a"))

	got, err := r.Ref(t.Context(), "refs/heads/main")

	if got != "" || err != nil {
		t.Errorf("ref: got %q, %v, want none", got, err)
	}
}

func TestRepo_HoldKeepsACommitThroughPruning(t *testing.T) {
	r := newRepo(t)
	held, loose := commit(t, r, "held"), commit(t, r, "loose")
	op := string(cluster.NewID())
	if err := r.Hold(t.Context(), held, op); err != nil {
		t.Fatalf("Hold: %v", err)
	}

	unpacked, _ := r.Held()
	git(t, r, "", "gc", "--quiet", "--prune=now")
	packed, err := r.Held()

	if err != nil || !slices.Equal(unpacked, []string{op}) || !slices.Equal(packed, []string{op}) {
		t.Errorf("held by: got %v, then %v (%v), want %s", unpacked, packed, err, op)
	}
	wantCommit(t, r, held, true)
	wantCommit(t, r, loose, false)
	for range 2 {
		if err := r.Release(t.Context(), op); err != nil {
			t.Fatalf("Release: %v", err)
		}
	}
	git(t, r, "", "gc", "--quiet", "--prune=now")
	wantCommit(t, r, held, false)
}

func TestRepo_HoldRefusesHostileOperations(t *testing.T) {
	r := newRepo(t)
	id := commit(t, r, "a")
	for _, op := range []string{"", "..", "a/b", "-d", "a.lock", "A", strings.Repeat("a", 65)} {
		wantCode(t, r.Hold(t.Context(), id, op), cluster.CodeInvalid)
		wantCode(t, r.Release(t.Context(), op), cluster.CodeInvalid)
	}
}

func TestRepo_IsAncestor(t *testing.T) {
	r := newRepo(t)
	a := commit(t, r, "a")
	b := commit(t, r, "b", a)
	c := commit(t, r, "c", a)
	for _, x := range []struct {
		a, b string
		want bool
	}{{a, b, true}, {b, b, true}, {b, a, false}, {b, c, false}} {
		got, err := r.IsAncestor(t.Context(), x.a, x.b)

		if got != x.want || err != nil {
			t.Errorf("IsAncestor(%s, %s): got %t, %v, want %t", x.a, x.b, got, err, x.want)
		}
	}
	if _, err := r.IsAncestor(t.Context(), strings.Repeat("1", 40), a); err == nil {
		t.Error("IsAncestor of a missing commit: got no error")
	}
}

func TestRepo_SubjectIsFitForPeople(t *testing.T) {
	r := newRepo(t)
	for message, want := range map[string]string{
		"Fix the door\n\nIt squeaked.": "Fix the door",
		"":                             "",
		"red \x1b[31malert\x07":        "red [31malert",
		"bad \xff\xfe bytes":           "bad ÿþ bytes", // git takes it for Latin-1
		strings.Repeat("ä", 300):       strings.Repeat("ä", 119) + "…",
	} {
		got, err := r.Commit(t.Context(), commit(t, r, message))

		if got.Subject != want || got.Author == "" || err != nil {
			t.Errorf("Commit of %q: got %+v, %v, want %q and its author", message, got, err, want)
		}
	}
}

func TestRepo_ArchiveHoldsTheFiles(t *testing.T) {
	r := newRepo(t)
	id := commit(t, r, "a")

	a, err := r.Archive(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	names := map[string]string{}
	for in := tar.NewReader(a); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("read tar: %v", err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		b, _ := io.ReadAll(in)
		names[h.Name] = string(b)
	}

	if want := "hello\n"; names["file.txt"] != want || len(names) != 1 {
		t.Errorf("archive: got %q, want file.txt with %q alone", names, want)
	}
}

func TestRepo_ArchiveFailsLoudly(t *testing.T) {
	r := newRepo(t)
	missing := strings.Repeat("1", 40)

	a, err := r.Archive(t.Context(), missing)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(a)
	_ = a.Close()

	if err == nil || !strings.Contains(err.Error(), "git archive") {
		t.Errorf("archive of a missing commit: got %v, want git's error", err)
	}
	_, err = r.Archive(t.Context(), "--output=/tmp/x")
	wantCode(t, err, cluster.CodeInvalid)
}

func TestRepo_ArchiveEndsWithItsContext(t *testing.T) {
	r := newRepo(t)
	ctx, cancel := context.WithCancel(t.Context())
	a, err := r.Archive(ctx, commit(t, r, "a"))
	if err != nil {
		t.Fatal(err)
	}

	cancel()

	if err := a.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestCommand_SeesNothingOfOurEnvironment(t *testing.T) {
	t.Setenv("GIT_DIR", "/elsewhere")
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("AORTA_TOKEN", "secret")

	cmd := command(t.Context(), "/repo", nil, "version")

	for _, kv := range cmd.Env {
		if strings.HasPrefix(kv, "GIT_DIR") || strings.HasPrefix(kv, "GIT_CONFIG_COUNT") || strings.HasPrefix(kv, "AORTA") {
			t.Errorf("environment holds %s, want it cleaned", kv)
		}
	}
}

func newRepo(tb testing.TB) Repo {
	tb.Helper()
	r, err := Init(tb.Context(), filepath.Join(tb.TempDir(), "app.git"))
	if err != nil {
		tb.Fatalf("Init: %v", err)
	}
	return r
}

// commit makes a commit of one file and gives its id.
func commit(tb testing.TB, r Repo, message string, parents ...string) string {
	tb.Helper()
	blob := git(tb, r, "hello\n", "hash-object", "-w", "--stdin")
	tree := git(tb, r, "100644 blob "+blob+"\tfile.txt\n", "mktree")
	args := []string{"commit-tree", tree}
	for _, p := range parents {
		args = append(args, "-p", p)
	}
	return git(tb, r, message, args...)
}

func git(tb testing.TB, r Repo, stdin string, args ...string) string {
	tb.Helper()
	cmd := exec.Command("git", append([]string{"--git-dir=" + r.Dir}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	cmd.Stdin = strings.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("git %v: %v: %s", args, err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

func wantCommit(tb testing.TB, r Repo, id string, want bool) {
	tb.Helper()
	got, err := r.IsCommit(tb.Context(), id)
	if got != want || err != nil {
		tb.Errorf("IsCommit(%s): got %t, %v, want %t", id, got, err, want)
	}
}

func wantCode(tb testing.TB, err error, want cluster.Code) {
	tb.Helper()
	if err == nil || cluster.CodeOf(err) != want {
		tb.Errorf("error: got %v (%s), want code %s", err, cluster.CodeOf(err), want)
	}
}
