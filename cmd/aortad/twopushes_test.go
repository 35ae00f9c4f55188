package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"aorta/internal/testkit"
)

// gated is an app that listens once it is told to, so that a deploy is at work
// for as long as a test wants.
const gated = misbehaving + "gate\n"

// openGate waits until an instance waits and lets it go on.
func (p *project) openGate() {
	p.c.tb.Helper()
	id := p.atGate()
	if r := p.c.run(p.c.dir, "docker", "-H", p.c.docker, "kill", "-s", "USR1", id); r.code != 0 {
		p.c.tb.Fatalf("open the gate of %s: %s", id, r.err)
	}
}

// atGate waits until an instance waits, and gives its container.
func (p *project) atGate() (waits string) {
	p.c.tb.Helper()
	testkit.Eventually(p.c.tb, "an instance to wait", func() bool {
		for _, id := range p.containers() {
			said := p.c.run(p.c.dir, "docker", "-H", p.c.docker, "logs", id).out
			if strings.Contains(said, "waits for SIGUSR1") && !strings.Contains(said, "listening") {
				waits = id
			}
		}
		return waits != ""
	})
	return waits
}

// clone is a second repository of the same app, at another place.
func (p *project) clone() *project {
	p.c.tb.Helper()
	q := &project{c: p.c, name: p.name, dir: p.dir + "-2"}
	if err := os.CopyFS(q.dir, os.DirFS(p.dir)); err != nil {
		p.c.tb.Fatal(err)
	}
	return q
}

// pushing is a push that goes on beside the test.
type pushing struct {
	tb   testing.TB
	cmd  *exec.Cmd
	gone <-chan struct{}

	mu   sync.Mutex // guards text
	text bytes.Buffer
}

// Write takes what git says.
func (p *pushing) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *pushing) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// begin begins a push, which ends by itself or with the test.
func (p *project) begin() *pushing {
	p.c.tb.Helper()
	out := &pushing{tb: p.c.tb, cmd: exec.Command("git", "push", "aorta", "main")}
	out.cmd.Dir, out.cmd.Env, out.cmd.Stderr = p.dir, p.c.env, out
	out.gone = testkit.StartChild(p.c.tb, out.cmd)
	return out
}

func (p *pushing) says(text string) {
	p.tb.Helper()
	testkit.Eventually(p.tb, "the push to say "+text, func() bool { return strings.Contains(p.said(), text) })
}

func (p *pushing) wait() result {
	p.tb.Helper()
	testkit.Receive(p.tb, "the push to end", p.gone)
	return result{err: p.said(), code: p.cmd.ProcessState.ExitCode()}
}

// serves fails the test unless the push ended well, with the release.
func (p *pushing) serves(release string) {
	p.tb.Helper()
	if r := p.wait(); r.code != 0 || !strings.Contains(r.err, release+" serves") {
		p.tb.Errorf("exit %d\n%s\nwant %s to serve", r.code, r.err, release)
	}
}

// Of two pushes at once the second waits for the first; then it goes on if it
// loses nobody's work.
func TestPush_TwoAtOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	one := c.newApp("shop", "testapp")
	one.write("Dockerfile", strings.ReplaceAll(gated, "COPY testapp", "COPY app"))
	base := one.commit("gated")
	two := one.clone()
	waits := func(message string) string {
		return "remote: Waiting for another job to end: Deploy “" + message + "” to shop (by admin)."
	}

	first, second := one.begin(), (*pushing)(nil)
	one.atGate()
	second = two.begin()
	second.says("This commit is already being deployed; following it.")
	one.openGate()
	first.serves("v1")
	second.serves("v1")
	if jobOf(t, first.said()) != jobOf(t, second.said()) || len(c.releases("shop")) != 1 {
		t.Errorf("the same commit twice made %d releases, want one", len(c.releases("shop")))
	}
	if r := two.push(); r.code != 0 || !strings.Contains(r.err, "Everything up-to-date") {
		t.Errorf("the same once more: exit %d\n%s", r.code, r.err)
	}
	one.alone(1, "v1")

	ours := one.commit("ours")
	two.commit("theirs")
	first = one.begin()
	one.atGate()
	second = two.begin()
	second.says(waits("ours"))
	if got := one.ref(); got != base {
		t.Errorf("got the ref at %s during the deploy, want %s", got, base)
	}
	one.openGate()
	first.serves("v2")
	if r := second.wait(); r.code == 0 || !strings.Contains(r.err, "! [remote rejected] main -> main (main moved meanwhile: pull and push again)") {
		t.Errorf("the second of two: exit %d\n%s\nwant it refused: main moved", r.code, r.err)
	}
	if got := one.ref(); got != ours {
		t.Errorf("got the ref at %s, want the first one's %s", got, ours)
	}
	one.alone(1, "v2")

	one.commit("ours again")
	two.git("fetch", "-q", one.dir, "main")
	two.git("reset", "-q", "--hard", "FETCH_HEAD")
	theirs := two.commit("on top of it")
	first = one.begin()
	one.atGate()
	second = two.begin()
	second.says(waits("ours again"))
	one.openGate()
	first.serves("v3")
	one.openGate()
	second.serves("v4")
	if got := one.ref(); got != theirs {
		t.Errorf("got the ref at %s, want the second one's %s", got, theirs)
	}
	one.alone(1, "v4")
}

// Who waits behind a deploy that fails goes on where that one did not.
func TestPush_AfterOneThatFails(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	one := c.newApp("shop", "testapp")
	one.deploy()
	two := one.clone()
	one.write("Dockerfile", strings.ReplaceAll(gated, "COPY testapp", "COPY app"))
	one.commit("never listens")
	theirs := two.commit("as before")

	first := one.begin()
	one.atGate()
	second := two.begin()
	second.says("remote: Waiting for another job to end: ")
	c.aorta("jobs", "abort", jobOf(t, first.said()))

	if r := first.wait(); r.code == 0 || !strings.Contains(r.err, "! [remote rejected] main -> main (cancelled") {
		t.Errorf("the aborted push: exit %d\n%s\nwant it refused as cancelled", r.code, r.err)
	}
	second.serves("v3")
	if got := one.ref(); got != theirs {
		t.Errorf("got the ref at %s, want the second one's %s", got, theirs)
	}
	one.alone(1, "v3")
}
