package main_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
)

// keepRegistry makes this program a registry that somebody else keeps.
const keepRegistry = "keep-registry"

// theirs is a registry of the operator's, a process of its own on the clients' machine,
// behind TLS of a private authority and a log-in.
type theirs struct {
	t    *testing.T
	l    *lab.Lab
	dir  string
	stop func() // as kill -9 does
}

// theirAddress is where it listens: in a lab, where the clients are.
const theirAddress = "10.77.0.250:5000"

func (r *theirs) login() string { return filepath.Join(r.dir, "login") }

// flags have a pacemaker use it.
func (r *theirs) flags() []string {
	return []string{"--registry-url", "https://" + theirAddress + "/team", "--registry-login", r.login(), "--registry-ca", filepath.Join(r.dir, "ca.crt")}
}

func (r *theirs) tell(login string) {
	r.t.Helper()
	testkit.Must(r.t, os.WriteFile(r.login(), []byte(login+"\n"), 0o600))
}

// start starts it with the certificate that lies in a directory.
func (r *theirs) start(certs string) {
	r.t.Helper()
	self, err := os.Executable()
	testkit.Must(r.t, err)
	cmd := exec.Command(self, keepRegistry, r.dir, certs)
	cmd.Stderr = os.Stderr
	testkit.Must(r.t, r.l.Clients.Start(cmd))
	gone := make(chan struct{})
	go func() { // ends with it, at the latest with the lab
		_ = cmd.Wait()
		close(gone)
	}()
	r.stop = func() { _ = cmd.Process.Kill(); <-gone }
	testkit.Eventually(r.t, "the registry to listen", func() bool {
		conn, err := r.l.Clients.Dial(r.t.Context(), "tcp", theirAddress)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
}

// serveRegistry serves what lies in a directory, under a certificate of another one.
func serveRegistry(dir, certs string) error {
	app := handlers.NewApp(context.Background(), &configuration.Configuration{Storage: configuration.Storage{
		"filesystem": {"rootdirectory": filepath.Join(dir, "data")},
	}})
	server := http.Server{Addr: theirAddress, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ann" || password != "hush" {
			w.Header().Set("WWW-Authenticate", `Basic realm="theirs"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		app.ServeHTTP(w, r)
	})}
	return server.ListenAndServeTLS(filepath.Join(certs, "server.crt"), filepath.Join(certs, "server.key"))
}

// A cluster keeps its images in a registry of the operator's on another machine: a node
// takes from there what another one has built. While that is killed, refuses the log-in
// or is another one, its operator is told, apps serve, and a deploy fails with the cause
// or goes on once it is back; what failed is done by a retry.
func TestRegistry_TheOperatorsComesAndGoes(t *testing.T) {
	t.Parallel()
	r := &theirs{t: t, dir: testkit.ShortDir(t)}
	testkit.Certs(t, r.dir, net.IPv4(10, 77, 0, 250))
	r.tell("ann:hush")
	specs := lab.Specs(2)
	specs[0].Flags = r.flags()
	r.l = ownLab(t, nil, specs...)
	n2 := r.l.Hosts[1]
	r.start(r.dir)
	c := on(t, r.l.Pacemaker())
	far := c.newApp("far", "hello")
	far.deploy()
	c.aorta("ps", "scale", "web=2", "-a", "far")
	if at := far.spread(2); at["n2"] != 1 {
		t.Fatalf("got instances at %v, want one on n2", at)
	}
	if kept, err := os.Stat(filepath.Join(r.dir, "data/docker/registry/v2/repositories/team", far.id())); err != nil {
		t.Errorf("the operator's registry has no repository of the app: got %v, %v", kept, err)
	}
	if own, _ := filepath.Glob(registryOf(r.l.Pacemaker()) + "repositories/*"); len(own) > 0 {
		t.Errorf("the cluster's own registry has %v, want nothing", own)
	}
	r.inOrder()

	r.stop()
	r.named("does not answer")
	if got := far.through(on(t, n2)).release(); got != "v1" {
		t.Errorf("through n2 without the registry: got %q, want v1", got)
	}
	r.deploys(far, "v2", "does not answer", func() { r.start(r.dir) })

	r.tell("ann:wrong")
	r.named("does not take our log-in: check the file that registry_login names")
	r.deploys(far, "v3", "does not take our log-in: check the file that registry_login names", func() { r.tell("ann:hush") })
	r.inOrder()

	foreign := testkit.ShortDir(t)
	testkit.Certs(t, foreign, net.IPv4(10, 77, 0, 250))
	r.stop()
	r.start(foreign)
	r.named("certificate signed by unknown authority")
	r.stop()
	r.start(r.dir)
	r.inOrder()
}

// deploys pushes a release that waits for the registry until that is mended.
func (r *theirs) deploys(p *project, release, waits string, mend func()) {
	r.t.Helper()
	p.commit(release)
	pushed := make(chan result, 1)
	go func() { pushed <- p.push() }()
	testkit.Eventually(r.t, "the deploy's log to say: "+waits, func() bool {
		return strings.Contains(p.c.aorta("jobs", "show", "--log", p.lastJob("Deploy").ID), waits)
	})
	mend()
	if got := testkit.Receive(r.t, "the push to end", pushed); got.code != 0 || !strings.Contains(got.err, waits) {
		r.t.Errorf("a deploy that waits for the registry: exit %d\n%s\nwant it to say why, and to go on", got.code, got.err)
	}
	p.onBoth(release)
}

// inOrder waits until nobody is told anything about the registry.
func (r *theirs) inOrder() {
	r.t.Helper()
	testkit.Eventually(r.t, "aorta status to say nothing of the registry", func() bool {
		return !strings.Contains(on(r.t, r.l.Pacemaker()).aorta("status"), "registry")
	})
}

// named waits until people are told what is wrong with the registry.
func (r *theirs) named(what string) {
	r.t.Helper()
	testkit.Eventually(r.t, "aorta status to say: "+what, func() bool {
		said := on(r.t, r.l.Pacemaker()).aorta("status")
		return strings.Contains(strings.Join(strings.Fields(said), " "), what)
	})
}

// onBoth waits until the release runs on both hosts of a lab of two, and nothing else.
func (p *project) onBoth(release string) {
	p.c.tb.Helper()
	testkit.Eventually(p.c.tb, "an instance of "+release+" on each host", func() bool {
		nodes := map[string]bool{}
		for _, in := range p.c.ps(p.name) {
			nodes[in.Node] = in.Release == release && in.State == "running"
		}
		return nodes["n1"] && nodes["n2"] && len(p.c.ps(p.name)) == 2
	})
}
