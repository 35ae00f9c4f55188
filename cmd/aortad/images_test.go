package main_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// loseImages takes the images of an app's releases from the engine, as
// `docker system prune -a` or another engine does, with whatever uses them.
func (p *project) loseImages() {
	p.c.tb.Helper()
	of := "label=aorta.app-id=" + asJSON[wire.App](p.c, "apps", "info", "-a", p.name).ID
	docker := func(args ...string) { p.c.run(p.c.dir, "docker", append([]string{"-H", p.c.docker}, args...)...) }
	// Its heart makes a removed container again at once, and with it holds the image.
	_ = p.c.cmd.Process.Signal(syscall.SIGSTOP)
	defer func() { _ = p.c.cmd.Process.Signal(syscall.SIGCONT) }()
	testkit.Eventually(p.c.tb, "the images of "+p.name+" to be gone", func() bool {
		// The engine may still be removing or making one.
		if ids := p.c.engine("ps", "-aq", "--no-trunc", "--filter", of); len(ids) > 0 {
			docker(append([]string{"rm", "-f"}, ids...)...)
		}
		images := p.c.engine("images", "-q", "--no-trunc", "--filter", of)
		if len(images) > 0 {
			docker(append([]string{"rmi", "-f"}, images...)...)
		}
		return len(images) == 0
	})
}

// images are the ids of those of the app that the engine has.
func (p *project) images() []string {
	p.c.tb.Helper()
	info := asJSON[wire.App](p.c, "apps", "info", "-a", p.name)
	return p.c.engine("images", "-q", "--no-trunc", "--filter", "label=aorta.app-id="+info.ID)
}

// lastJob is the newest tree of an app whose title begins so, with all its jobs.
func (p *project) lastJob(title string) wire.Job {
	p.c.tb.Helper()
	for _, j := range asJSON[[]wire.Job](p.c, "jobs", "-a", p.name) {
		if strings.HasPrefix(j.Title, title) {
			return asJSON[wire.Job](p.c, "jobs", "show", j.ID)
		}
	}
	p.c.tb.Fatalf("no job of %s begins with %q", p.name, title)
	return wire.Job{}
}

// titled counts the jobs of a tree whose title begins so, and that succeeded.
func titled(j wire.Job, title string) int {
	n := 0
	if strings.HasPrefix(j.Title, title) && j.State == "succeeded" {
		n = 1
	}
	for _, child := range j.Children {
		n += titled(child, title)
	}
	return n
}

func (p *project) serves(release string, when string) {
	p.c.tb.Helper()
	if status, body := p.get("/"); status != 200 || p.release() != release {
		p.c.tb.Errorf("%s: got %d %s, want %s to answer", when, status, body, release)
	}
}

func TestImages_AMissingOneIsBuiltAgainByWhatNeedsIt(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	c.aorta("ps", "scale", "web=3", "-a", "shop")

	c.aorta("ps", "stop", "-a", "shop")
	shop.loseImages()
	c.aorta("ps", "restart", "-a", "shop")

	shop.serves("v1", "started again")
	restart := shop.lastJob("Start shop")
	if n := titled(restart, "Build v1 again: its image is gone from "); n != 1 || titled(restart, "Start web.") != 6 {
		t.Errorf("got %d builds, want 1 for 3 instances, which are started after it:\n%s", n, c.aorta("jobs", "show", restart.ID))
	}

	shop.loseImages()
	c.aorta("config", "set", "A=1", "-a", "shop")
	shop.serves("v2", "a config var set")

	c.aorta("rollback", "v1", "-a", "shop")
	shop.serves("v3", "rolled back")
	image := asJSON[wire.Release](c, "releases", "info", "v3", "-a", "shop").Image
	if first := asJSON[wire.Release](c, "releases", "info", "v1", "-a", "shop").Image; first != image {
		t.Errorf("got image %s of v1 and %s of v3, want the same", first, image)
	}

	shop.commit("second")
	shop.deploy()
	shop.loseImages()
	c.aorta("rollback", "v1", "-a", "shop")
	shop.serves("v5", "rolled back to an image that was gone")
}

// Nobody asks for anything here: the heart finds the containers and the images
// gone, of two apps at once.
func TestImages_WhatRanIsReplacedFromANewImage(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop, blog := c.newApp("shop", "hello"), c.newApp("blog", "hello")
	shop.deploy()
	if r := c.run(blog.dir, "aorta", "deploy", ".", "-a", "blog"); r.code != 0 {
		t.Fatal(r.err)
	}

	shop.loseImages()
	blog.loseImages()

	for _, p := range []*project{shop, blog} {
		testkit.Eventually(t, p.name+" to serve again", func() bool {
			status, _ := p.get("/")
			return status == 200
		})
		p.serves("v1", "replaced")
		if n := titled(p.lastJob("Replace"), "Build v1 again"); n != 1 {
			t.Errorf("%s: got %d builds, want 1", p.name, n)
		}
	}
}

func TestImages_RebuildOnDemand(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	c.aorta("ps", "stop", "-a", "shop")
	shop.loseImages()

	gone := c.run(shop.dir, "git", "push", "aorta", "main")
	c.aorta("builds", "rebuild", "-a", "shop")
	built := shop.images()
	again := c.run(c.dir, "aorta", "builds:rebuild", "v1", "-a", "shop")

	if len(built) != 1 || again.code != 0 || len(shop.images()) != 1 {
		t.Errorf("got images %v, then exit %d with %v; want the one that was gone, once\n%s", built, again.code, shop.images(), gone.err)
	}
	c.aorta("ps", "restart", "-a", "shop")
	shop.serves("v1", "started")
}

// Without what it was built from, the error says what to do.
func TestImages_OneThatCantBeBuiltAgain(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	if r := c.run(shop.dir, "aorta", "deploy", ".", "-a", "shop"); r.code != 0 {
		t.Fatal(r.err)
	}
	c.aorta("ps", "stop", "-a", "shop")
	shop.loseImages()
	kept := c.dir + "/data/sources"
	if err := os.Rename(kept, kept+".lost"); err != nil {
		t.Fatal(err)
	}

	r := c.run(c.dir, "aorta", "ps", "restart", "-a", "shop")

	if r.code != 1 || !strings.Contains(r.err, "is not kept any more") || !strings.Contains(r.err, "aorta deploy") {
		t.Errorf("got exit %d\n%s\nwant the archive named, and what to do", r.code, r.err)
	}
	if err := os.Rename(kept+".lost", kept); err != nil {
		t.Fatal(err)
	}
	c.aorta("ps", "restart", "-a", "shop")
	shop.serves("v1", "with its archive")
}

// imageIDs are the ids of the app's images on the engine, also when it is gone.
func (c *cluster) imageIDs(app string) []string {
	c.tb.Helper()
	return c.engine("images", "-q", "--no-trunc", "--filter", "label=aorta.app-id="+app)
}

// What nothing needs goes by itself, and nothing else.
func TestImages_OldOnesAreCollected(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "--keep-releases", "2")
	stranger := "aorta-test-stranger:" + c.id()
	shop := c.newApp("shop", "hello")
	if r := c.run(shop.dir, "env", "DOCKER_BUILDKIT=0", "docker", "-H", c.docker, "build", "-q", "--label", "aorta.cluster=another", "-t", stranger, "."); r.code != 0 {
		t.Fatal(r.err)
	}
	defer c.engine("rmi", stranger)
	id := asJSON[wire.App](c, "apps", "info", "-a", "shop").ID
	for _, version := range []string{"1", "2", "3", "4"} {
		shop.write("version", version)
		shop.write("Dockerfile", "FROM scratch\nCOPY app /app\nCOPY version /version\nCMD [\"/app\"]\n")
		shop.commit(version)
		shop.deploy()
	}

	testkit.Eventually(t, "the images of v1 and v2 to go", func() bool { return len(c.imageIDs(id)) == 2 })

	testkit.Eventually(t, "the images that are left to be listed", func() bool { return len(asJSON[[]wire.Image](c, "images", "-a", "shop")) == 2 })
	for i, img := range asJSON[[]wire.Image](c, "images") {
		if img.App != "shop" || len(img.Releases) != 1 || img.Collect || img.Node == "" {
			t.Errorf("image %d: got %+v, want one of shop that stays", i, img)
		}
	}
	if r := c.run(c.dir, "aorta", "images", "prune", "--dry-run"); r.code != 0 || !strings.Contains(r.err, "0 images") {
		t.Errorf("a dry run: got exit %d\n%s%s, want that nothing would go", r.code, r.out, r.err)
	}
	c.aorta("rollback", "v1", "-a", "shop")
	shop.serves("v5", "rolled back to a release whose image was removed")
	c.aorta("apps", "destroy", "shop", "--confirm", "shop")
	testkit.Eventually(t, "the images of the destroyed app to go", func() bool { return len(c.imageIDs(id)) == 0 })
	c.engine("inspect", stranger)
}
