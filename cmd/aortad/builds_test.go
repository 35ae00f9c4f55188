package main_test

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// Each way to deploy gives the image of docker build in a clean checkout.
func TestBuilds_HoldWhatDockerBuildInACheckoutDoes(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello", "COPY . /ctx/")
	for name, text := range map[string]string{
		".gitattributes": "tests export-ignore\nversion export-subst\n*.dos text eol=crlf\n*.id ident\n",
		".dockerignore":  ".git\nsecrets/\n*.md\n!README.md\n**/node_modules\n",
		"tests":          "run", "version": "$Format:%H$", "a.dos": "one\ntwo\n", "a.id": "$Id$\n", "key.md": "x", "README.md": "y", "white space": "z",
	} {
		shop.write(name, text)
	}
	for _, dir := range []string{"secrets", "web/node_modules"} {
		if err := os.MkdirAll(filepath.Join(shop.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		shop.write(dir+"/file", "not for the image")
	}
	for name, target := range map[string]string{"link": "README.md", "dangling": "nowhere", "absolute": "/etc/hosts"} {
		if err := os.Symlink(target, filepath.Join(shop.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	shop.commit("all")
	clean := filepath.Join(c.dir, "clean")
	shop.git("clone", "-q", shop.dir, clean)
	archive := filepath.Join(c.dir, "source.tar")
	if r := c.run(clean, "tar", "-cf", archive, "--exclude=.git", "."); r.code != 0 {
		t.Fatal(r.err)
	}

	shop.deploy()
	c.aorta("deploy", clean, "-a", "shop")
	c.aorta("deploy", "--archive", archive, "-a", "shop")

	tag := "aorta-test-clean:" + c.id()
	if r := c.run(clean, "env", "DOCKER_BUILDKIT=0", "docker", "-H", c.docker, "build", "-q", "-t", tag, "."); r.code != 0 {
		t.Fatal(r.err)
	}
	want := c.filesOf(tag)
	c.engine("rmi", tag)
	releases := asJSON[[]wire.Release](c, "releases", "-a", "shop")
	if len(releases) != 3 || len(want) < 10 {
		t.Fatalf("got %d releases and %d files, want 3 and more", len(releases), len(want))
	}
	for i, way := range []string{"--archive", "DIR", "git push"} {
		if diff := cmp.Diff(want, c.filesOf(releases[i].Image)); diff != "" {
			t.Errorf("image of %s (-docker build +ours):\n%s", way, diff)
		}
	}
}

// filesOf describes what an image has of its context, by name.
func (c *cluster) filesOf(image string) map[string]string {
	c.tb.Helper()
	id := c.engine("create", image)[0]
	defer c.engine("rm", id)
	r := c.run(c.dir, "docker", "-H", c.docker, "export", id)
	if r.code != 0 {
		c.tb.Fatalf("export %s: %s", image, r.err)
	}
	files := map[string]string{}
	for in := tar.NewReader(strings.NewReader(r.out)); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			c.tb.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			c.tb.Fatal(err)
		}
		if strings.HasPrefix(h.Name, "ctx/") {
			files[h.Name] = fmt.Sprintf("%c %o %q %x", h.Typeflag, h.Mode, h.Linkname, sha256.Sum256(content))
		}
	}
}

// A push after a rollback deploys, and so does one with tags.
func TestBuilds_APushMeansWhatItSays(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	first := shop.ref()
	second := shop.commit("second")
	shop.git("tag", "-a", "-m", "two", "v2.0")

	tagged := c.run(shop.dir, "git", "push", "--follow-tags", "aorta", "main")
	r := c.run(c.dir, "aorta", "rollback", "-a", "shop")
	rolledBack := shop.ref()
	again := shop.push()

	if tagged.code != 0 || !strings.Contains(tagged.err, "v2 serves") || !strings.Contains(tagged.err, "Tag v2.0 is stored") {
		t.Errorf("with a tag: exit %d\n%s\nwant it deployed, and a word on the tag", tagged.code, tagged.err)
	}
	if r.code != 0 || rolledBack != first || !strings.Contains(r.out+r.err, "main is back at "+first[:10]) {
		t.Errorf("rollback: exit %d, main at %s\n%s%s\nwant main back at %s", r.code, rolledBack, r.out, r.err, first)
	}
	if again.code != 0 || !strings.Contains(again.err, "v4 serves") || shop.ref() != second || shop.release() != "v4" {
		t.Errorf("the push after it: exit %d\n%s\nwant v4 of %s", again.code, again.err, second)
	}
}

// A push says what its build does, step by step; its secrets are for the step that
// mounts them alone.
func TestBuilds_ShowTheirStepsAndNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-and-more"
	c := newCluster(t)
	shop := c.newApp("shop", "hello", "ENV ONCE="+c.id(), "COPY --chmod=755 busybox /bin/sh", "RUN --mount=type=secret,id=token <<EOF", "read t </run/secrets/token; echo it is \"$t\"", "EOF")
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Fatalf("this test needs a static busybox (apt-get install busybox-static): %v", err)
	}
	shop.write("busybox", string(busybox))
	shop.commit("a shell")

	c.aorta("builds", "set-secret", "token="+secret, "-a", "shop")
	pushed := shop.push()

	if pushed.code != 0 || !strings.Contains(pushed.err, "] RUN --mount=type=secret,id=token <<EOF") || !strings.Contains(pushed.err, "| it is ***") {
		t.Errorf("exit %d\n%s\nwant the step and its output, masked", pushed.code, pushed.err)
	}
	shown := pushed.out + pushed.err + strings.Join(c.engine("history", "--no-trunc", asJSON[[]wire.Release](c, "releases", "-a", "shop")[0].Image), "\n")
	for _, args := range [][]string{{"jobs", "--json"}, {"builds", "secrets", "-a", "shop", "--json"}, {"config", "-a", "shop"}} {
		shown += c.aorta(args...)
	}
	if strings.Contains(shown, secret) || !strings.Contains(shown, "token") {
		t.Error("the secret is shown somewhere, or its name nowhere")
	}
}

// Builds that never end keep no other app from building for longer than anybody
// wants: whoever waits is told for whom, and they can be ended.
func TestBuilds_OneThatHangsIsCancelled(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	hang := func(name string) *project {
		return c.newApp(name, "testapp", "ENV MODE=silent", `RUN ["/app", "`+name+c.id()+`"]`)
	}
	blog, wiki, shop := hang("blog"), hang("wiki"), c.newApp("shop", "hello")
	first := blog.begin()
	first.says("testapp begins")
	second := wiki.begin()
	second.says("testapp begins")

	third := shop.begin()
	third.says("waiting for a build slot: blog (")
	none := c.run(c.dir, "aorta", "builds", "cancel", "nothing", "-a", "blog")
	cancelled := c.run(c.dir, "aorta", "builds", "cancel", "-a", "blog")

	third.serves("v1")
	if r := first.wait(); r.code == 0 || !strings.Contains(r.err, "cancelled by admin") || cancelled.code != 0 {
		t.Errorf("the build that hung: exit %d\n%s\ncancel: exit %d\n%s\nwant it cancelled", r.code, r.err, cancelled.code, cancelled.err)
	}
	if none.code == 0 || !strings.Contains(none.err, `build "nothing" of app "blog" does not run or wait; these do: `) {
		t.Errorf("another build: exit %d\n%s\nwant it refused, with those that there are", none.code, none.err)
	}
	c.aorta("builds", "cancel", "-a", "wiki")
	if r := second.wait(); r.code == 0 {
		t.Errorf("exit %d\n%s\nwant it cancelled", r.code, r.err)
	}
	if r := c.run(c.dir, "aorta", "builds", "cancel", "-a", "shop"); r.code == 0 || !strings.Contains(r.err, "has no build that runs or waits") {
		t.Errorf("nothing to cancel: exit %d\n%s\nwant that said", r.code, r.err)
	}
}

// A daemon that is killed takes its builds with it, on the engine too; the next
// one begins them again.
func TestBuilds_EndWithAKilledDaemon(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	mark := "shop" + c.id()
	shop := c.newApp("shop", "testapp", "ENV MODE=silent", `RUN ["/app", "`+mark+`"]`)
	steps := func() (n int) {
		files, err := filepath.Glob("/proc/[0-9]*/cmdline")
		testkit.Must(t, err)
		for _, file := range files {
			line, err := os.ReadFile(file) // a process may have ended meanwhile
			if err == nil && string(line) == "/app\x00"+mark+"\x00" {
				n++
			}
		}
		return n
	}
	push := shop.begin()
	testkit.Eventually(t, "the step to run", func() bool { return steps() == 1 })

	c.kill()

	testkit.Eventually(t, "the step to end with the daemon", func() bool { return steps() == 0 })
	push.wait()
	c.start()
	testkit.Eventually(t, "the step to run again", func() bool { return steps() == 1 })
	c.aorta("builds", "cancel", "-a", "shop")
	testkit.Eventually(t, "the step to end with its build", func() bool { return steps() == 0 })
}

// builds says whether the daemon has a process of a build.
func (c *cluster) builds() bool {
	c.tb.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	testkit.Must(c.tb, err)
	for _, file := range files {
		stat, err := os.ReadFile(file) // a process may have ended meanwhile
		if err != nil {
			continue
		}
		after := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:])) // state, parent
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		if after[1] == strconv.Itoa(c.cmd.Process.Pid) && strings.Contains(string(line), "build-child") {
			return true
		}
	}
	return false
}

// The build of a builder that has died is taken up by another one.
func TestBuilds_OfADeadBuilderGoElsewhere(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "--roles", "pacemaker,heart,router")
	forges := []*cluster{c.join("forge1", "builder", c.nodeURL()), c.join("forge2", "builder", c.nodeURL())}
	shop := c.newApp("shop", "testapp", "ENV MODE=silent", `RUN ["/app", "`+c.id()+`"]`) // which never ends
	push := shop.begin()
	testkit.Eventually(t, "one of the builders to build", func() bool { return forges[0].builds() || forges[1].builds() })
	if forges[1].builds() {
		slices.Reverse(forges)
	}

	forges[0].kill()

	testkit.Eventually(t, "the other one to build", forges[1].builds)
	c.aorta("builds", "cancel", "-a", "shop")
	push.wait()
}
