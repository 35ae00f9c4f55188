package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
)

// What people and the app of this test have that others are not to learn.
const (
	secretApp    = "quokka"
	secretHost   = "numbat.example.com"
	secretConfig = "the-wombat-digs-at-night"
	secretOutput = "hello listens" // which each instance prints
)

// Nothing of the platform's crosses the wire between hosts in the clear, from a host's
// joining on. Two things are left out, for they are as their users want them. Clients are
// not listened to: with the router they speak what browsers speak, and with the API by
// the address that their operator has given it. And what a router passes on to an
// instance is a request in HTTP, as the app takes it; the address of that is a private
// one.
func TestLab_NothingCrossesInTheClear(t *testing.T) {
	t.Parallel()
	var tap *lab.Tap
	l := ownLab(t, func(_ context.Context, l *lab.Lab) (err error) {
		tap, err = l.Tap() // before any other host has joined
		return err
	}, lab.Specs(3)...)
	useInTheOpen(t, l)
	n1, n2 := l.Hosts[0], l.Hosts[1]
	resp, err := n2.HTTP(testkit.Hang).Get(n1.API() + "/healthz?canary=" + secretConfig)
	testkit.Must(t, err)
	testkit.Must(t, resp.Body.Close())

	heard, err := tap.Close()
	testkit.Must(t, err)

	size, canaries, secrets := 0, 0, secretsOf(t, l)
	wantHeard(t, l, heard)
	for flow, said := range heard {
		size += len(said)
		switch {
		case ofInstance(flow):
		case isCanary(flow, n1):
			canaries += bytes.Count(said, []byte(secretConfig))
		default:
			wantUnreadable(t, flow, said, secrets)
		}
	}
	if canaries != 1 {
		t.Errorf("got what n2 said to n1 in the clear %d times, want it heard once", canaries)
	}
	t.Logf("heard %d bytes in %d flows", size, len(heard))
}

// useInTheOpen does, from outside, what sends something from host to host: images to
// where instances are, configuration, routes, numbers and output.
func useInTheOpen(t *testing.T, l *lab.Lab) {
	t.Helper()
	h := hosts{lab: l}
	c := on(t, l.Pacemaker())
	c.room = l.Clients
	app := c.newApp(secretApp, "hello")
	c.aorta("config", "set", "-a", secretApp, "KEY="+secretConfig)
	app.deploy()
	c.aorta("domains", "add", "-a", secretApp, secretHost)
	c.aorta("ps", "scale", "-a", secretApp, fmt.Sprintf("web=%d", len(l.Hosts)))
	if at := app.spread(len(l.Hosts)); len(at) != len(l.Hosts) {
		t.Fatalf("got instances at %v, want one on each host", at)
	}
	for _, host := range l.Hosts {
		h.among(t, host, secretApp).serve(10)
	}
	app.counted(int64(10 * len(l.Hosts)))
	app.commit("second")
	app.deploy()
	testkit.Eventually(t, "the output of all instances", func() bool {
		return strings.Count(c.aorta("logs", "-a", secretApp, "--lines", "1000"), secretOutput) == 2*len(l.Hosts)
	})
}

// wantHeard wants to have heard each other host speak with all that nodes speak with on
// the first.
func wantHeard(t *testing.T, l *lab.Lab, heard map[lab.Flow][]byte) {
	t.Helper()
	met := map[string]bool{}
	for flow := range heard {
		met[flow.From.Addr().String()+" to "+flow.To.String()] = true
	}
	first := &cluster{tb: t, dir: l.Pacemaker().Disk()}
	services := []string{l.Pacemaker().Address() + ":7421"}
	for _, name := range []string{"routes", "jobs", "stats"} {
		services = append(services, first.recordedAddress("redis_"+name))
	}
	for _, host := range l.Hosts[1:] {
		for _, service := range services {
			if way := host.Address() + " to " + service; !met[way] {
				t.Errorf("heard nothing from %s", way)
			}
		}
	}
}

// ofInstance says whether a flow is between a router and an instance, by the ports that
// hearts publish those at.
func ofInstance(f lab.Flow) bool {
	published := func(port uint16) bool { return port >= 20000 && port <= 29999 }
	return published(f.From.Port()) || published(f.To.Port())
}

// isCanary says whether a flow is with the API for people on a host.
func isCanary(f lab.Flow, host *lab.Host) bool {
	return strings.HasSuffix(host.API(), "//"+f.From.String()) || strings.HasSuffix(host.API(), "//"+f.To.String())
}

// wantUnreadable wants a flow to be one of TLS from its first byte on, and none of the
// secrets to be in it all the same.
func wantUnreadable(t *testing.T, flow lab.Flow, said []byte, secrets map[string]*regexp.Regexp) {
	t.Helper()
	const handshake, version = 0x16, 0x03 // of the first record of either side
	if flow.Protocol != "tcp" || len(said) < 3 || said[0] != handshake || said[1] != version {
		t.Errorf("%v is no TLS: %.200q", flow, said)
	}
	for what, secret := range secrets {
		if found := secret.FindIndex(said); found != nil {
			t.Errorf("%v has %s: %.200q", flow, what, said[max(0, found[0]-100):])
		}
	}
}

// secretsOf are what would be found of the cluster's secrets if they were not hidden.
func secretsOf(t *testing.T, l *lab.Lab) map[string]*regexp.Regexp {
	t.Helper()
	exact := func(text string) *regexp.Regexp { return regexp.MustCompile(regexp.QuoteMeta(text)) }
	admin, err := os.ReadFile(filepath.Join(l.Pacemaker().Disk(), "data", "admin.token"))
	testkit.Must(t, err)
	found := map[string]*regexp.Regexp{
		"a join token":      regexp.MustCompile(`join_[A-Z2-7]{8}`),
		"the admin's token": exact(strings.TrimSpace(string(admin))),
		"a password":        regexp.MustCompile(`(?i)authorization: |\$4\r\nauth\r\n`), // of HTTP and of Redis
		"the config value":  exact(secretConfig),
		"the app's name":    exact(secretApp),
		"a route":           exact(secretHost),
		"the app's output":  exact(secretOutput),
	}
	for _, host := range l.Hosts {
		raw, err := os.ReadFile(filepath.Join(host.Disk(), "data", "welcome.json"))
		testkit.Must(t, err)
		var w map[string]json.RawMessage
		testkit.Must(t, json.Unmarshal(raw, &w))
		for _, name := range []string{"jobs", "routes", "stats"} {
			var redis struct{ Password string }
			testkit.Must(t, json.Unmarshal(w[name], &redis))
			if redis.Password == "" {
				t.Fatalf("%s has no password for the %s Redis", host.Name, name)
			}
			found["the password of "+host.Name+" at the "+name+" Redis"] = exact(redis.Password)
		}
	}
	return found
}
