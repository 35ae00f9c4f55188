package main_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// otherIP is an address of this machine that nothing uses by default.
const otherIP = "127.0.0.2"

// An address that is given is believed at every start: the daemon alone is
// stopped and started again with another value, and then listens there, with the
// managed Redis and nginx, which went on meanwhile.
func TestAddresses_AreBelievedAtEveryStart(t *testing.T) {
	t.Parallel()
	oldNodes, oldStatus, gone := testkit.FreeAddr(t), testkit.FreeAddr(t), testkit.FreeAddr(t)
	c := unstarted(t, "--node-listen", oldNodes, "--router-status-listen", oldStatus)
	c.records("redis_routes", gone)
	c.start()
	shop := c.newApp("shop", "hello")
	shop.deploy()
	old := strings.TrimPrefix(c.api, "http://")
	oldRouter := strings.TrimPrefix(c.router, "http://")
	api, nodes, router, status := testkit.FreeAddr(t), testkit.FreeAddr(t), testkit.FreeAddr(t), testkit.FreeAddr(t)
	_, routerPort, _ := net.SplitHostPort(router)
	engine := relaySocket(t, c.docker)

	for _, tt := range []struct {
		name, option, value string
		moved               func()   // after which the cluster's tools find it
		listens, silent     []string // afterwards
	}{
		{"API", "listen", api, func() { c.api = "http://" + api }, []string{api}, []string{old}},
		{"nodes' API", "node_listen", nodes, nil, []string{nodes}, []string{oldNodes}},
		{"router", "router_listen", router, func() { c.router = "http://" + router }, []string{router}, []string{oldRouter}},
		{"router on all addresses", "router_listen", ":" + routerPort, nil, []string{otherIP + ":" + routerPort}, nil},
		{"status of the router", "router_status_listen", status, nil, []string{status}, []string{oldStatus}},
		{"Redis", "redis_address", otherIP, nil, []string{otherIP + gone[strings.Index(gone, ":"):]}, []string{gone}},
		{"Redis, back again", "redis_address", "127.0.0.1", nil, []string{gone}, []string{otherIP + gone[strings.Index(gone, ":"):]}},
		{"sockets", "run_dir", c.dir + "/r2", nil, nil, nil},
		{"engine", "docker_host", "unix://" + engine.path, nil, nil, nil},
	} {
		c.term()
		c.set(tt.option, tt.value)
		seen := len(c.log())
		if tt.moved != nil {
			tt.moved()
		}
		c.start()

		if said := c.log()[seen:]; tt.option != "run_dir" && (!strings.Contains(said, "has changed since the last start") || !strings.Contains(said, "option="+tt.option)) {
			t.Errorf("%s: the log does not say that %s has changed:\n%s", tt.name, tt.option, said)
		}
		for _, addr := range tt.listens {
			if !answers(addr) {
				t.Errorf("%s: nothing listens on %s", tt.name, addr)
			}
		}
		for _, addr := range tt.silent {
			if answers(addr) {
				t.Errorf("%s: something still listens on %s", tt.name, addr)
			}
		}
		c.runsAs(shop, tt.name)
	}
	if engine.used.Load() == 0 {
		t.Error("the engine was not asked at the address that was given last")
	}
	if _, err := os.Stat(filepath.Join(c.dir, "r2", "status.sock")); err != nil {
		t.Errorf("nginx's sockets are not in the directory that was given last: %v", err)
	}
}

// records has the daemon find that it chose an address for a listener before: one
// of the test's own, which nobody else takes once the daemon has left it.
func (c *cluster) records(listener, addr string) {
	c.tb.Helper()
	raw, err := json.Marshal(map[string]any{"addresses": map[string]string{listener: addr}})
	testkit.Must(c.tb, err)
	testkit.Must(c.tb, os.Mkdir(c.dir+"/data", 0o700))
	testkit.Must(c.tb, os.WriteFile(c.dir+"/data/places.json", raw, 0o600))
}

// runsAs checks that the app serves, and that a route still gets to the router.
func (c *cluster) runsAs(p *project, when string) {
	c.tb.Helper()
	testkit.Eventually(c.tb, when+": the app to serve", func() bool {
		resp, err := p.request("GET", "/")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	host := fmt.Sprintf("r%d.example.com", len(c.log()))
	c.aorta("domains", "add", host, "-a", p.name)
	testkit.Eventually(c.tb, when+": a new route to be served", func() bool {
		req, _ := http.NewRequest("GET", c.router+"/", nil)
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// The domain is one of them: each app gets its host there, and keeps the one that
// people know until it is removed.
func TestAddresses_TheDomainIsBelievedAtEveryStart(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	at := func(host string) int {
		req, _ := http.NewRequest("GET", c.router+"/", nil)
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}

	c.aorta("apps", "create", "zoo")
	c.aorta("domains", "add", "-a", "shop", "zoo.apps.example.com")
	c.aorta("domains", "add", "-a", "shop", "*.apps.example.com")
	c.term()
	c.set("domain", "apps.example.com")
	c.start()

	serves := func(old int) {
		t.Helper()
		testkit.Eventually(t, fmt.Sprintf("the app to serve in the new domain, and the old one to answer %d", old), func() bool {
			return at("shop.apps.example.com") == http.StatusOK && at("shop.aorta.localhost") == old
		})
	}
	serves(http.StatusOK)
	if app := asJSON[wire.App](c, "apps", "info", "-a", "shop"); !strings.HasPrefix(app.URL, "http://shop.apps.example.com:") {
		t.Errorf("got the URL %s, want it in the new domain", app.URL)
	}
	testkit.Eventually(t, "the app that had claimed them to answer neither for an app without a release nor for a free name", func() bool {
		return at("zoo.apps.example.com") == http.StatusNotFound && at("free.apps.example.com") == http.StatusNotFound
	})
	if log, taken := c.log(), "Now zoo.apps.example.com is no more app shop's, but that of app zoo."; !strings.Contains(log, taken) {
		t.Errorf("the start does not say %q:\n%s", taken, log)
	}
	if out, held := c.aorta("doctor", "--wide"), "App shop is not served at *.apps.example.com"; !strings.Contains(out, held) {
		t.Errorf("doctor says %q, want it with %q", out, held)
	}
	c.aorta("domains", "remove", "-a", "shop", "*.apps.example.com")
	c.aorta("domains", "remove", "-a", "zoo", "zoo.aorta.localhost")
	kinds := map[string]string{}
	for _, d := range asJSON[[]wire.Domain](c, "domains", "-a", "shop") {
		kinds[d.Host] = fmt.Sprintf("own %t, former %t", d.Own, d.Former)
	}
	if diff := cmp.Diff(map[string]string{"shop.apps.example.com": "own true, former false", "shop.aorta.localhost": "own false, former true"}, kinds); diff != "" {
		t.Errorf("domains: - want + got\n%s", diff)
	}
	remove := "aorta domains remove -a shop shop.aorta.localhost"
	if log := c.log(); !strings.Contains(log, "\ndomain: apps.example.com. ") || !strings.Contains(log, remove) {
		t.Errorf("the start does not say that apps have moved, and how the old host goes:\n%s", log)
	}
	if out := c.aorta("doctor", "--wide"); !strings.Contains(out, remove) {
		t.Errorf("doctor says %q, want it with %q", out, remove)
	}
	c.aorta("domains", "remove", "-a", "shop", "shop.aorta.localhost")
	serves(http.StatusNotFound)
	if out := c.aorta("doctor", "--wide"); strings.Contains(out, "remove") {
		t.Errorf("doctor says %q once the old host is gone", out)
	}
}

// An address that can't be used is refused with its name, the cause and what to
// do; what runs goes on.
func TestAddresses_ThatCanNotBeUsedAreRefused(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	c.term()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	good, taken, foreign := c.flags, l.Addr().String(), "192.0.2.1"

	for option, values := range map[string][]string{
		"listen":               {taken, foreign + ":7420"},
		"node_listen":          {taken, foreign + ":7421"},
		"router_listen":        {taken, foreign + ":8080"},
		"router_status_listen": {taken, foreign + ":8081"},
		"redis_address":        {foreign},
		"node_address":         {"10.255.255.254"},
	} {
		for _, value := range values {
			c.flags = good
			c.set(option, value)

			r := c.run(c.dir, filepath.Join(bin, "aortad"), c.flags...)

			cause := value + " is in use by"
			if value != taken {
				cause = "no address of this machine"
			}
			if r.code != 1 || !strings.Contains(r.err, option+" ") || !strings.Contains(r.err, cause) || !strings.Contains(r.err, "(--"+strings.ReplaceAll(option, "_", "-")) {
				t.Errorf("%s %s: got exit %d and %q, want 3 with name, cause (%s) and next step", option, value, r.code, r.err, cause)
			}
			if code, _ := shop.get("/"); code != http.StatusOK {
				t.Errorf("%s %s: the app answers %d meanwhile", option, value, code)
			}
		}
	}
}

// set gives a flag of the daemon another value.
func (c *cluster) set(option, value string) {
	flag := "--" + strings.ReplaceAll(option, "_", "-")
	flags := append([]string{}, c.flags...)
	for i := range flags[:len(flags)-1] {
		if flags[i] == flag {
			flags[i+1] = value
			c.flags = flags
			return
		}
	}
	c.flags = append(flags, flag, value)
}

func answers(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
