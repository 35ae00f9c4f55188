package main_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
	"aorta/web/wire"
)

// burden adds a file to the app's image that can't be packed, below what it adds later.
func (p *project) burden(megabytes int) {
	p.c.tb.Helper()
	raw := make([]byte, megabytes<<20)
	_, _ = rand.Read(raw)
	p.write("burden", string(raw))
	p.write("note", "the first release")
	p.write("Dockerfile", "FROM scratch\nCOPY app /app\nCOPY burden /burden\nCOPY note /note\nCMD [\"/app\"]\n")
}

// everywhere checks that the app runs once on each host and answers through each of
// their routers.
func (p *project) everywhere(l *lab.Lab, release string) {
	p.c.tb.Helper()
	p.onEach(l, release, 1)
}

// onEach is everywhere with so many on each host.
func (p *project) onEach(l *lab.Lab, release string, n int) {
	p.c.tb.Helper()
	if got, want := p.spread(4*n), map[string]int{"n1": n, "n2": n, "n3": n, "n4": n}; !maps.Equal(got, want) {
		p.c.tb.Errorf("%s: got its instances at %v, want %d on each host", p.name, got, n)
	}
	for _, host := range l.Hosts {
		if got := four.among(p.c.tb, host, p.name).release(); got != release {
			p.c.tb.Errorf("%s through %s: got %q, want %s", p.name, host.Name, got, release)
		}
	}
}

func (p *project) id() string { return asJSON[wire.App](p.c, "apps", "info", "-a", p.name).ID }

// destroy ends the app, so that the lab has room for others.
func (p *project) destroy() {
	p.c.tb.Helper()
	p.c.aorta("apps", "destroy", p.name, "--confirm", p.name)
}

// registryOf is where a host has the registry.
func registryOf(host *lab.Host) string { return host.Disk() + "/data/registry/docker/registry/v2/" }

// inRegistry are the ids of the app's images, as their manifests in the registry on a
// host's disk have them: digests of what the images are.
func (p *project) inRegistry(at *lab.Host) []string {
	p.c.tb.Helper()
	dir := registryOf(at)
	links, err := filepath.Glob(dir + "repositories/" + p.id() + "/_manifests/tags/*/current/link")
	testkit.Must(p.c.tb, err)
	var ids []string
	for _, link := range links {
		digest, err := os.ReadFile(link)
		testkit.Must(p.c.tb, err)
		hex := strings.TrimPrefix(string(digest), "sha256:")
		raw, err := os.ReadFile(dir + "blobs/sha256/" + hex[:2] + "/" + hex + "/data")
		testkit.Must(p.c.tb, err)
		var manifest struct{ Config struct{ Digest string } }
		testkit.Must(p.c.tb, json.Unmarshal(raw, &manifest))
		ids = append(ids, manifest.Config.Digest)
	}
	return ids
}

// onHost are the ids of the images that the app's containers on a host run.
func (p *project) onHost(host *lab.Host) []string {
	p.c.tb.Helper()
	there := four.among(p.c.tb, host, p.name)
	return there.c.engine(append([]string{"inspect", "-f", "{{.Image}}"}, there.containers()...)...)
}

// moved is how many bytes of images a host has taken from the registry, or sent to it.
func moved(tb testing.TB, l *lab.Lab, host *lab.Host, way string) int {
	tb.Helper()
	series := fmt.Sprintf("aorta_registry_bytes_%s_total{node=%q} ", way, host.Name)
	for line := range strings.Lines(on(tb, l.Pacemaker()).metrics()) {
		if value, ok := strings.CutPrefix(line, series); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			testkit.Must(tb, err)
			return int(n)
		}
	}
	return 0
}

// An app that was pushed on one host runs on four, each of which takes its image by
// its digest, and of the next release the layers that are new. It is served while the
// host that has it from is away.
func TestRegistry_AnAppRunsWhereItWasNotBuilt(t *testing.T) {
	t.Parallel()
	l := four.use(t)
	n1, n3 := l.Hosts[0], l.Hosts[2]
	c := on(t, n1)
	far := c.newApp("far", "hello")
	far.burden(8)
	far.commit("with a burden")
	took := map[string]int{}
	for _, host := range l.Hosts {
		took[host.Name] = moved(t, l, host, "sent")
	}

	far.deploy()
	c.aorta("ps", "scale", "web=4", "-a", "far")

	far.everywhere(l, "v1")
	pushed := far.inRegistry(n1)
	for _, host := range l.Hosts {
		if got := far.onHost(host); len(pushed) != 1 || !slices.Equal(got, pushed) {
			t.Errorf("%s runs %v, want the image that is in the registry, %v", host.Name, got, pushed)
		}
		if got := moved(t, l, host, "sent") - took[host.Name]; host != n1 && got < 8<<20 || host == n1 && got > 1<<20 {
			t.Errorf("%s took %d bytes from the registry, want the image unless it was built there", host.Name, got)
		}
	}
	far.nextRelease(l)
	for _, host := range l.Hosts {
		far.namedByBuild(on(t, host))
	}

	testkit.Must(t, n1.Kill(testkit.Bounded(t)))
	// A connection that was kept to the lost host is found to be dead by using it: such a
	// request waits for its app's limit, as one that was in flight there.
	_, err := lab.Load{App: "far", Rate: 50, For: 2 * time.Second, Wait: 5 * time.Second, Via: []*lab.Host{n3}}.Run(testkit.Bounded(t), l)
	testkit.Must(t, err)
	tally, err := lab.Load{App: "far", Rate: 20, For: time.Second, Wait: testkit.Hang, Via: []*lab.Host{n3}}.Run(testkit.Bounded(t), l)
	testkit.Must(t, err)

	if tally.OK != 20 {
		t.Errorf("through n3 without n1: got %d ok and %v, want 20 ok", tally.OK, tally.Causes)
	}
	testkit.Must(t, n1.Boot(testkit.Bounded(t)))
	four.ready(t)
	far.destroy()
}

// nextRelease deploys one with a small file more, and checks that nothing else moves.
func (p *project) nextRelease(l *lab.Lab) {
	p.c.tb.Helper()
	before := map[string]int{}
	for _, host := range l.Hosts {
		before[host.Name] = moved(p.c.tb, l, host, "sent") + moved(p.c.tb, l, host, "received")
	}
	p.write("note", "the second release")
	p.commit("second")
	p.deploy()
	p.everywhere(l, "v2")
	for _, host := range l.Hosts {
		if got := moved(p.c.tb, l, host, "sent") + moved(p.c.tb, l, host, "received") - before[host.Name]; got == 0 || got > 64<<10 {
			p.c.tb.Errorf("%d bytes went between %s and the registry for a release with one small file more, want that alone", got, host.Name)
		}
	}
}

// An image that lies on the builder's engine alone runs on every host, where several
// instances take it at once.
func TestRegistry_ANamedImageRunsOnEveryHost(t *testing.T) {
	t.Parallel()
	l := four.use(t)
	c := on(t, l.Pacemaker())
	pic := c.newApp("pic", "hello")
	if r := c.run(pic.dir, "docker", "-H", c.docker, "build", "-q", "-t", "made/elsewhere:1", "."); r.code != 0 {
		t.Fatal(r.err)
	}
	c.aorta("deploy", "--image", "made/elsewhere:1", "-a", "pic")

	c.aorta("ps", "scale", "web=8", "-a", "pic")

	pic.onEach(l, "v1", 2)
	pic.destroy()
}

// A registry of the operator's is watched by its log-in, and nothing that serves waits
// for it.
func TestRegistry_OneOfTheOperatorsIsWatched(t *testing.T) {
	t.Parallel()
	theirs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ann" || password != "hush" {
			w.Header().Set("WWW-Authenticate", `Basic realm="theirs"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(theirs.Close)
	login := filepath.Join(t.TempDir(), "login")
	write := func(text string) { t.Helper(); testkit.Must(t, os.WriteFile(login, []byte(text), 0o600)) }
	write("ann:hush\n")
	c := newCluster(t, "--registry-url", theirs.URL+"/team", "--registry-login", login)
	testkit.Eventually(t, "a cluster in order", c.healthy)

	write("ann:wrong\n")

	testkit.Eventually(t, "the log-in to be named", func() bool {
		return strings.Contains(c.aorta("status"), "does not take our log-in")
	})
	c.newApp("meanwhile", "hello").deploy() // on one machine no image travels
	write("ann:hush\n")
	testkit.Eventually(t, "a cluster in order again", c.healthy)
}
