package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aorta/web/wire"
)

const misbehaving = "FROM scratch\nCOPY testapp /app\nCMD [\"/app\"]\nENV MODE="

// impatient gives up soon; patient gives an app time to come up on a busy machine,
// and what is wrong with it then shows; endless waits for one that is held up.
const (
	impatient = "processes:\n  web:\n    health:\n      start_timeout: 3s\n"
	endless   = "processes:\n  web:\n    health:\n      start_timeout: 30m\n" // longer than a test
	patient   = "processes:\n  web:\n    health:\n      start_timeout: 10s\n"
)

// badPush is one that must come to nothing, and what its pusher must read.
type badPush struct {
	name    string
	files   map[string]string // an empty text: no such file
	says    []string          // in the lines of `remote:`
	cause   string            // in them, once
	release bool              // it got as far as a release
}

var badPushes = []badPush{
	{
		name:  "a step that needs a missing program",
		files: map[string]string{"Dockerfile": "FROM scratch\nCOPY app /app\nRUN [\"/nowhere\", \"--build\"]\n"},
		says:  []string{"▸ Build", `RUN ["/nowhere", "--build"]`, "✗ Build"},
		cause: "Build failed: the build failed at",
	},
	{
		name:  "a missing file to copy",
		files: map[string]string{"Dockerfile": "FROM scratch\nCOPY nowhere /app\nCMD [\"/app\"]\n"},
		cause: "Build failed: the build failed at \"COPY nowhere /app\"",
	},
	{
		name:  "no Dockerfile",
		files: map[string]string{"Dockerfile": ""},
		cause: "Build failed: there is no Dockerfile in the root of the source",
	},
	{
		name:  "a key that aorta.yml does not have",
		files: map[string]string{"aorta.yml": "processes:\n  web:\n    replicas: 3\n"},
		says:  []string{"      replicas: 3", "      ^"},
		cause: `Build failed: aorta.yml:3:5: unknown key "replicas"`,
	},
	{
		name:    "an app that never listens",
		files:   map[string]string{"Dockerfile": misbehaving + "silent\n", "aorta.yml": impatient},
		says:    []string{"✗ web.", "Start failed: web.", "testapp begins, mode silent"},
		cause:   "it did not listen on PORT (5000) within its start timeout of 3s",
		release: true,
	},
	{
		name:    "an app on loopback only",
		files:   map[string]string{"Dockerfile": misbehaving + "loopback\n", "aorta.yml": patient},
		says:    []string{"listening on 127.0.0.1:5000"},
		cause:   "it listens on 127.0.0.1:5000 inside its container only; listen on 0.0.0.0",
		release: true,
	},
	{
		name:    "an app that exits",
		files:   map[string]string{"Dockerfile": misbehaving + "exit:3\n"},
		says:    []string{"no database at DATABASE_URL"},
		cause:   "its process exited with code 3 before it was healthy",
		release: true,
	},
	{
		name:    "an app that answers its check with an error",
		files:   map[string]string{"Dockerfile": misbehaving + "status:500\n", "aorta.yml": patient + "      path: /healthz\n"},
		says:    []string{"500"},
		cause:   "its health check failed for 10s",
		release: true,
	},
}

// What does not come up changes nothing: the push fails with its own cause and
// the release before serves on, alone.
func TestPush_ThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.bring("testapp")
	shop.deploy()
	served := shop.ref()

	for _, bad := range badPushes {
		t.Run(bad.name, func(t *testing.T) {
			shop.git("reset", "-q", "--hard", served)
			for name, text := range bad.files {
				shop.write(name, text)
				if text == "" {
					shop.git("rm", "-q", "-f", name)
				}
			}
			shop.commit(bad.name)
			before := c.releases("shop")

			r := shop.push()

			bad.told(t, r)
			if got := shop.ref(); got != served {
				t.Errorf("got the ref at %s, want it where it was, %s", got, served)
			}
			if got := shop.release(); got != "v1" {
				t.Errorf("got an answer from %q, want v1", got)
			}
			shop.alone(1, "v1")
			c.endedFailed(t, jobOf(t, r.err), bad.error())
			after := c.releases("shop")
			if bad.release != (len(after) == len(before)+1) {
				t.Errorf("got %d releases after %d, want one more: %v", len(after), len(before), bad.release)
			}
			if bad.release && (after[0].State != "failed" || !strings.Contains(after[0].Error, bad.error())) {
				t.Errorf("got release %+v, want it failed with %q", after[0], bad.cause)
			}
		})
	}
}

// error is the cause without the step that it was in.
func (b badPush) error() string { return strings.TrimPrefix(b.cause, "Build failed: ") }

// bring puts one of the built programs into the repository.
func (p *project) bring(program string) {
	p.c.tb.Helper()
	binary, err := os.ReadFile(filepath.Join(bin, program))
	if err == nil {
		err = os.WriteFile(filepath.Join(p.dir, program), binary, 0o755)
	}
	if err != nil {
		p.c.tb.Fatal(err)
	}
	p.commit("bring " + program)
}

// ref is what the cluster's main is at.
func (p *project) ref() string {
	p.c.tb.Helper()
	id, _, _ := strings.Cut(p.git("ls-remote", "aorta", "refs/heads/main"), "\t")
	return id
}

func (c *cluster) releases(app string) []wire.Release {
	c.tb.Helper()
	return asJSON[[]wire.Release](c, "releases", "-a", app)
}

// told checks what the pusher reads.
func (b badPush) told(t *testing.T, r result) {
	t.Helper()
	if r.code == 0 {
		t.Errorf("got exit 0, want the push refused:\n%s", r.err)
	}
	remote, refused := "", ""
	for line := range strings.Lines(r.err) {
		if text, ok := strings.CutPrefix(line, "remote: "); ok {
			remote += text
		}
		if strings.Contains(line, "! [remote rejected] main -> main (") {
			refused = line
		}
	}
	for _, want := range b.says {
		if !strings.Contains(remote, want) {
			t.Errorf("the push said:\n%s\nwant %q in its remote lines", r.err, want)
		}
	}
	if n := strings.Count(r.err, b.cause); n != 1 {
		t.Errorf("the push said:\n%s\nwant %q in it once, not %d times", r.err, b.cause, n)
	}
	step := "(Build failed)"
	if b.release {
		step = "(Start failed)"
	}
	if !strings.Contains(refused, step) {
		t.Errorf("the push said:\n%s\nwant %s in the line of the refused ref", r.err, step)
	}
	if !strings.HasSuffix(strings.TrimRight(remote, " \n"), "v1 goes on serving.") {
		t.Errorf("the push said:\n%s\nwant its last remote line to say that v1 goes on serving", r.err)
	}
}

var followPattern = regexp.MustCompile(`aorta jobs follow ([0-9a-f-]{36})`)

// jobOf reads the id of a deploy from what its pusher was told.
func jobOf(tb testing.TB, said string) string {
	tb.Helper()
	found := followPattern.FindStringSubmatch(said)
	if found == nil {
		tb.Fatalf("no job is named in:\n%s", said)
	}
	return found[1]
}

// endedFailed checks what is kept of a deploy that failed.
func (c *cluster) endedFailed(t *testing.T, id, cause string) {
	t.Helper()
	job := asJSON[wire.Job](c, "jobs", "show", id)
	if job.State != "failed" || !strings.Contains(job.Error, cause) {
		t.Errorf("got job state %q with error %q, want failed with %q", job.State, job.Error, cause)
	}
	if shown := c.aorta("jobs", "show", "--wide", id); !strings.Contains(shown, cause) {
		t.Errorf("aorta jobs show said:\n%s\nwant %q in it", shown, cause)
	}
}

func TestDeploy_OfAnImage(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	image := c.releases("shop")[0].Image

	r := c.run(c.dir, "aorta", "deploy", "-a", "shop", "--image", "127.0.0.1:1/nobody/nothing:1")

	for _, want := range []string{"✗ Build", "failed at Build: ", "v1 goes on serving.", "127.0.0.1:1/nobody/nothing:1 is not on this node and can't be pulled", "aorta jobs show"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("the deploy said:\n%s\nwant %q in it", r.err, want)
		}
	}
	if r.code != 1 {
		t.Errorf("got exit %d of a deploy that failed, want 1", r.code)
	}
	failed := asJSON[[]wire.Job](c, "jobs", "-a", "shop", "--state", "failed")
	if len(failed) != 1 {
		t.Fatalf("got failed jobs %+v, want the deploy", failed)
	}
	c.endedFailed(t, failed[0].ID, "can't be pulled")
	shop.alone(1, "v1")

	c.aorta("deploy", "-a", "shop", "--image", image)
	if got := shop.release(); got != "v2" {
		t.Errorf("after the deploy of an image that is there: got %s, want v2", got)
	}
	shop.alone(1, "v2")
	if r := c.run(c.dir, "aorta", "deploy", "-a", "shop", "--image", "no such:image"); r.code != 2 {
		t.Errorf("got exit %d for what is no image reference, want 2:\n%s", r.code, r.err)
	}
}
