package git

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/gitrepo"
	"aorta/internal/testkit"
)

const someID = "1111111111111111111111111111111111111111"

// gitSays is what git sends to the hook for one command.
func gitSays(commands ...string) string {
	b := append(appendPacket(nil, "version=1\x00push-options atomic\n"), flushPacket...)
	for _, c := range commands {
		b = appendPacket(b, c)
	}
	return string(b) + flushPacket
}

func TestRunHook_ControllerDyingIsToldToGit(t *testing.T) {
	socket := filepath.Join(testkit.ShortDir(t), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	heard := make(chan hello, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		var h hello
		_ = json.NewDecoder(conn).Decode(&h)
		heard <- h
		_, _ = io.WriteString(conn, `{"line":"building"}`+"\n"+`{"li`)
		_ = conn.Close()
	}()
	in, git := io.Pipe()
	go func() { _, _ = io.WriteString(git, gitSays(gitrepo.NoCommit+" "+someID+" refs/heads/main")) }()
	var out, lines bytes.Buffer

	err = RunHook(t.Context(), HookIO{In: in, Out: &out, Err: &lines, Getenv: func(k string) string {
		return map[string]string{envSocket: socket, envToken: "token"}[k]
	}})
	_ = git.Close()

	if err != nil {
		t.Fatalf("RunHook: %v", err)
	}
	wantText(t, out.String(), "ng refs/heads/main "+goneAway)
	wantText(t, lines.String(), "building\n")
	want := hello{Token: "token", Commands: []command{{Old: gitrepo.NoCommit, New: someID, Ref: "refs/heads/main"}}}
	if diff := cmp.Diff(want, <-heard); diff != "" {
		t.Errorf("hello (-want +got):\n%s", diff)
	}
}

func TestRunHook_EndsWithGit(t *testing.T) {
	socket := filepath.Join(testkit.ShortDir(t), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	in, git := io.Pipe()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.WriteString(git, gitSays(gitrepo.NoCommit+" "+someID+" refs/heads/main"))
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_ = git.Close()
		_, _ = io.Copy(io.Discard, conn) // until the hook lets go
		_ = conn.Close()
	}()

	_ = RunHook(t.Context(), HookIO{In: in, Out: io.Discard, Err: io.Discard, Getenv: func(k string) string {
		return map[string]string{envSocket: socket}[k]
	}})

	<-gone
}

func TestRunHook_RefusesMalformedInput(t *testing.T) {
	for _, in := range []string{"", "0000", "zzzz", "000bversion", string(appendPacket(nil, "version=2")) + flushPacket, gitSays("no command"), strings.TrimSuffix(gitSays(), flushPacket)} {
		err := RunHook(t.Context(), HookIO{In: strings.NewReader(in), Out: io.Discard, Err: io.Discard})

		if err == nil {
			t.Errorf("input %q: got no error", in)
		}
	}
}

func TestEndpoint_RefusesHooksWithoutAToken(t *testing.T) {
	l := newLab(t, 0)
	socket := filepath.Join(filepath.Dir(l.copy), "hook.sock")
	for _, say := range []string{"garbage", `{"token":"guess","commands":[{"ref":"refs/heads/main","old":"x","new":"y"}]}`} {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}

		_, _ = io.WriteString(conn, say+"\n")
		answer, err := io.ReadAll(conn)
		_ = conn.Close()

		if err != nil || strings.Contains(string(answer), `"ref":"refs/heads/main"}`) {
			t.Errorf("%q: got %q, %v, want a refusal", say, answer, err)
		}
	}
	if got := l.seen(); len(got) != 0 {
		t.Errorf("pushes that reached the backend: got %+v, want none", got)
	}
}

func TestPendingPushes_TokenWorksOnce(t *testing.T) {
	p := newPendingPushes()
	push := &pendingPush{}
	token, done := p.add(push)

	first, second := p.take(token), p.take(token)
	done()

	if first != push || second != nil {
		t.Errorf("take: got %p then %p, want %p then nil", first, second, push)
	}
}

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"simple":        "simple",
		" a \n\n b\r\n": "a; b",
		"\x1b[0m":       "refused",
		"it exited\nlast log lines:\n  one:\n  two\n\x1b[1m  three": "it exited",
		"cause:\n  detail":       "cause:; detail",
		strings.Repeat("x", 600): strings.Repeat("x", 500) + "…",
	} {
		if got := oneLine(errors.New(in)); got != want {
			t.Errorf("oneLine(%.20q): got %q, want %q", in, got, want)
		}
	}
}
