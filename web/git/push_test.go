package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/gitrepo"
	"aorta/internal/testkit"
)

func TestPush_ReachesTheBackendOnceAndMovesTheRef(t *testing.T) {
	l := newLab(t, 0)
	first := l.commit(t, "one")
	l.git(t, "push", "-q", "aorta", "main")
	second := l.commit(t, "two")

	out, ok := l.try(t, "push", "aorta", "HEAD:refs/heads/main")

	if !ok {
		t.Fatalf("push failed:\n%s", out)
	}
	p := Push{App: "app-id", AppName: "shop", Ref: "refs/heads/main", Who: goodToken}
	want := []Push{p, p}
	want[0].Old, want[0].New = gitrepo.NoCommit, first
	want[1].Old, want[1].New = first, second
	if diff := cmp.Diff(want, l.seen()); diff != "" {
		t.Errorf("pushes (-want +got):\n%s", diff)
	}
	if at, err := l.repo.Ref(t.Context(), "refs/heads/main"); at != second || err != nil {
		t.Errorf("main: got %s, %v, want %s", at, err, second)
	}
	if got := l.git(t, "rev-parse", "aorta/main"); strings.TrimSpace(got) != second {
		t.Errorf("pusher's aorta/main: got %s, want %s", got, second)
	}
}

func TestPush_LinesArriveWhileItRuns(t *testing.T) {
	l := newLab(t, 0)
	l.commit(t, "one")
	goOn := make(chan struct{})
	l.push = func(ctx context.Context, p Push, out io.Writer) error {
		_, _ = io.WriteString(out, "building \x1b[31mred\x1b[0m\x07\r\nhalf ")
		select {
		case <-goOn:
		case <-ctx.Done():
		}
		_, _ = io.WriteString(out, "whole\nno newline")
		return l.repo.MoveRef(ctx, p.Ref, p.Old, p.New)
	}
	cmd := client(t, l.copy, "push", "aorta", "main")
	lines := follow(t, cmd)

	await(t, lines, "remote: building red")
	close(goOn)
	await(t, lines, "remote: half whole")
	await(t, lines, "remote: no newline")

	for range lines {
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("push: got %v, want success", err)
	}
}

func TestPush_BackendErrorIsTheCause(t *testing.T) {
	l := newLab(t, 0)
	l.commit(t, "one")
	l.push = func(context.Context, Push, io.Writer) error {
		return errors.New("build failed: Dockerfile line 3\n\x1b[1mexit 1\n")
	}

	out, ok := l.try(t, "push", "aorta", "main")

	if ok {
		t.Error("push succeeded, want a failure")
	}
	wantText(t, out, "[remote rejected]", "(build failed: Dockerfile line 3; exit 1)")
	if at, err := l.repo.Ref(t.Context(), "refs/heads/main"); at != "" || err != nil {
		t.Errorf("main: got %q, %v, want none", at, err)
	}
}

func TestPush_NonFastForwardNeedsForce(t *testing.T) {
	l := newLab(t, 0)
	l.commit(t, "one")
	old := l.commit(t, "two")
	l.git(t, "push", "-q", "aorta", "main")
	l.git(t, "reset", "-q", "--hard", "HEAD~1")
	fresh := l.commit(t, "other")

	out, refused := l.try(t, "push", "aorta", "main")
	forced, ok := l.try(t, "push", "--force", "aorta", "main")

	if refused {
		t.Errorf("push without force succeeded, want a failure:\n%s", out)
	}
	if !ok {
		t.Fatalf("forced push failed:\n%s", forced)
	}
	last := l.seen()[len(l.seen())-1]
	if last.Old != old || last.New != fresh || !last.Forced {
		t.Errorf("push: got %+v, want %s to %s, forced", last, old, fresh)
	}
}

func TestPush_StaleOldIdIsAConflict(t *testing.T) {
	l := newLab(t, 0)
	l.commit(t, "one")
	l.git(t, "push", "-q", "aorta", "main")
	mine := l.commit(t, "mine")
	l.push = func(ctx context.Context, p Push, _ io.Writer) error {
		// Somebody else's push comes first.
		if err := l.repo.MoveRef(ctx, p.Ref, p.Old, p.New); err != nil {
			return err
		}
		return l.repo.MoveRef(ctx, p.Ref, p.Old, p.Old)
	}

	out, ok := l.try(t, "push", "aorta", "main")

	if ok {
		t.Errorf("push succeeded, want a conflict")
	}
	wantText(t, out, "main moved to "+mine[:10]+" meanwhile (pull and push again)")
}

func TestPush_OfOtherRefs(t *testing.T) {
	cases := map[string]struct {
		args   []string
		want   []string
		ok     bool
		pushes int
	}{
		"other branch":      {[]string{"main:feature"}, []string{"only main and master are deployed; to deploy this branch: git push aorta feature:main"}, false, 0},
		"tag":               {[]string{"v1"}, []string{"v1 -> v1", "remote: Tag v1 is stored", "remote: To deploy a tag: git push aorta 'v1^{commit}:main'"}, true, 0},
		"both":              {[]string{"main", "main:master"}, []string{"(main and master in one push: push one of them)"}, false, 0},
		"main and a tag":    {[]string{"main", "v1"}, []string{"main -> main", "v1 -> v1", "remote: Tag v1 is stored; a tag by itself deploys nothing."}, true, 1},
		"main that follows": {[]string{"--follow-tags", "main"}, []string{"main -> main", "v1 -> v1"}, true, 1},
		"all tags":          {[]string{"--tags"}, []string{"v1 -> v1", "v2 -> v2", "remote: 2 tags are stored"}, true, 0},
		"main and a branch": {[]string{"main", "main:feature"}, []string{"main -> main (not deployed, since another ref of this push is refused: push it alone)", "git push aorta feature:main"}, false, 0},
		"notes":             {[]string{"main:refs/notes/x"}, []string{"(push to main or master)"}, false, 0},
		"deletion":          {[]string{":main"}, []string{"can't be deleted"}, false, 0},
		"deletion of a tag": {[]string{":v0"}, []string{"[deleted]", "v0"}, true, 0},
		"tag as branch":     {[]string{"v1:refs/heads/main"}, []string{"not a commit"}, false, 0},
		"hidden":            {[]string{"main:refs/aorta/operations/x"}, []string{"deny updating a hidden ref"}, false, 0},
		"hidden with a tag": {[]string{"v1:refs/aorta/operations/x", "v1"}, []string{"deny updating a hidden ref"}, false, 0},
		"master":            {[]string{"main:master"}, []string{"main -> master"}, true, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, 0)
			l.commit(t, "one")
			l.git(t, "tag", "-a", "-m", "first", "v1")
			l.git(t, "tag", "v2")
			if strings.HasPrefix(name, "deletion") {
				l.git(t, "push", "-q", "aorta", "main", "v2:refs/tags/v0")
				l.pushes = nil
			}

			out, ok := l.try(t, append([]string{"push", "aorta"}, c.args...)...)

			if ok != c.ok {
				t.Errorf("success: got %t, want %t", ok, c.ok)
			}
			wantText(t, out, c.want...)
			if got := len(l.seen()); got != c.pushes {
				t.Errorf("pushes that reached the backend: got %d, want %d", got, c.pushes)
			}
		})
	}
}

func TestPush_TagIsStoredOnce(t *testing.T) {
	l := newLab(t, 0)
	id := l.commit(t, "one")
	l.git(t, "tag", "-a", "-m", "first", "v1")
	l.git(t, "push", "-q", "--follow-tags", "aorta", "main")

	out, ok := l.try(t, "push", "--follow-tags", "aorta", "main")

	if !ok || !strings.Contains(out, "Everything up-to-date") {
		t.Errorf("again: got success %t and\n%s\nwant that all is there", ok, out)
	}
	if got := l.git(t, "ls-remote", "aorta", "refs/tags/v1^{}"); !strings.HasPrefix(got, id) {
		t.Errorf("tag of the app's repository: got %q, want %s", got, id)
	}
	l.push = func(context.Context, Push, io.Writer) error { return errors.New("the build failed") }
	l.commit(t, "two")
	l.git(t, "tag", "-a", "-m", "second", "v2")
	if out, ok := l.try(t, "push", "--follow-tags", "aorta", "main"); ok || !strings.Contains(out, "(the build failed)") {
		t.Errorf("a deploy that fails: got success %t and\n%s", ok, out)
	}
}

func TestPush_OfAShallowCloneSaysWhatToDo(t *testing.T) {
	l := newLab(t, 0)
	for _, text := range []string{"one", "two", "three"} {
		l.commit(t, text)
	}
	clone := filepath.Join(l.copy, "..", "shallow")
	l.git(t, "clone", "-q", "--depth=1", "file://"+l.copy, clone)

	shallow, err := client(t, clone, "push", l.remote("shop", goodToken), "main").CombinedOutput()
	run(t, clone, "fetch", "-q", "--unshallow")
	run(t, clone, "push", "-q", l.remote("shop", goodToken), "main")

	if err == nil {
		t.Error("a shallow push succeeded, want a refusal")
	}
	wantText(t, string(shallow), "remote: This clone is shallow", "git fetch --unshallow", "aorta deploy", "shallow update not allowed")
	if got := len(l.seen()); got != 1 {
		t.Errorf("pushes that reached the backend: got %d, want that of the whole history alone", got)
	}
}

func TestPush_TooLargeSaysSo(t *testing.T) {
	l := newLab(t, 64<<10)
	noise := make([]byte, 3<<20)
	f, err := os.Open("/dev/urandom")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := io.ReadFull(f, noise); err != nil {
		t.Fatal(err)
	}
	l.commit(t, string(noise))

	out, ok := l.try(t, "push", "aorta", "main")

	if ok || len(l.seen()) != 0 {
		t.Errorf("push: got success %t and %d pushes, want a failure before the backend", ok, len(l.seen()))
	}
	wantText(t, out, "pack exceeds maximum allowed size", "remote: This push is larger than 64k")
}

func TestPush_LargeBodyIsStreamed(t *testing.T) {
	l := newLab(t, 0)
	l.git(t, "config", "http.postBuffer", "65536") // larger ones are sent in chunks
	l.git(t, "config", "core.compression", "0")
	l.commit(t, strings.Repeat("0123456789abcdef", 1<<16))

	out, ok := l.try(t, "push", "aorta", "main")

	if !ok {
		t.Errorf("push failed:\n%s", out)
	}
}

func TestPush_ObjectsAreOutOfQuarantine(t *testing.T) {
	l := newLab(t, 0)
	id := l.commit(t, "one")
	l.push = func(ctx context.Context, p Push, _ io.Writer) error {
		if err := l.repo.Hold(ctx, p.New, "op-1"); err != nil {
			return err
		}
		a, err := l.repo.Archive(ctx, p.New)
		if err != nil {
			return err
		}
		defer func() { _ = a.Close() }()
		if _, err = io.Copy(io.Discard, a); err != nil {
			return err
		}
		return errors.New("failed on purpose")
	}

	out, _ := l.try(t, "push", "aorta", "main")

	wantText(t, out, "(failed on purpose)")
	if at, err := l.repo.Ref(t.Context(), "refs/aorta/operations/op-1"); at != id || err != nil {
		t.Errorf("held: got %q, %v, want %s", at, err, id)
	}
	if refs := l.git(t, "ls-remote", "aorta"); refs != "" {
		t.Errorf("refs that a client sees: got %q, want none", refs)
	}
}

func TestPush_EndsForTheBackendWhenThePusherIsGone(t *testing.T) {
	l := newLab(t, 0)
	l.commit(t, "one")
	ended := make(chan error, 1)
	l.push = func(ctx context.Context, _ Push, out io.Writer) error {
		_, _ = fmt.Fprintln(out, "started")
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}
	cmd := client(t, l.copy, "push", "aorta", "main")
	lines := follow(t, cmd)
	await(t, lines, "started")

	killTree(t, cmd.Process.Pid)

	testkit.Receive(t, "the push's context to end", ended)
	for range lines {
	}
	_ = cmd.Wait()
}

func TestPush_ControllerStoppingIsToldToThePusher(t *testing.T) {
	l := newLab(t, 0)
	l.commit(t, "one")
	l.push = func(ctx context.Context, _ Push, out io.Writer) error {
		_, _ = fmt.Fprintln(out, "started")
		<-ctx.Done()
		return ctx.Err()
	}
	cmd := client(t, l.copy, "push", "aorta", "main")
	lines := follow(t, cmd)
	await(t, lines, "started")

	l.stop()

	await(t, lines, "the controller is stopping; the deploy goes on: push again to follow it")
	for range lines {
	}
	if err := cmd.Wait(); err == nil {
		t.Error("push succeeded, want a failure")
	}
}

func TestPush_WithoutAHookServerIsRefusedWithWords(t *testing.T) {
	l := newLab(t, 0)
	l.commit(t, "one")
	l.stop()

	out, ok := l.try(t, "push", "aorta", "main")

	if ok {
		t.Error("push succeeded, want a failure")
	}
	wantText(t, out, goneAway)
}

func TestPush_HooksOfTheRepositoryDoNotRun(t *testing.T) {
	l := newLab(t, 0)
	l.commit(t, "one")
	trap := filepath.Join(l.copy, "trapped")
	hooks := filepath.Join(l.repo.Dir, "hooks")
	if err := os.MkdirAll(hooks, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, h := range []string{"pre-receive", "post-receive", "update", "reference-transaction", "proc-receive"} {
		if err := os.WriteFile(filepath.Join(hooks, h), []byte("#!/bin/sh\ntouch "+trap+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}

	out, ok := l.try(t, "push", "aorta", "main")

	if _, err := os.Stat(trap); err == nil || !ok {
		t.Errorf("push: got success %t, hook ran %t, want success without hooks\n%s", ok, err == nil, out)
	}
}

func TestClone_GivesWhatWasPushed(t *testing.T) {
	l := newLab(t, 0)
	id := l.commit(t, "one")
	l.git(t, "push", "-q", "aorta", "main:master")
	for _, version := range []string{"0", "1", "2"} {
		into := filepath.Join(l.copy, "..", "clone-"+version)

		l.git(t, "-c", "protocol.version="+version, "clone", "-q", l.remote("shop", readToken), into)

		if got := strings.TrimSpace(run(t, into, "rev-parse", "HEAD")); got != id {
			t.Errorf("protocol %s: HEAD of the clone: got %s, want %s", version, got, id)
		}
	}
}

// killTree kills a process and its children, as a terminal that closes does.
func killTree(tb testing.TB, pid int) {
	tb.Helper()
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range strings.Fields(string(list)) {
		var child int
		if _, err := fmt.Sscan(f, &child); err == nil {
			killTree(tb, child)
		}
	}
	p, err := os.FindProcess(pid)
	if err == nil {
		_ = p.Kill()
	}
	testkit.Eventually(tb, "a killed process to end", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(stat), ") Z ")
	})
}
