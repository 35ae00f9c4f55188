package main_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
	"aorta/web/wire"
)

// hosts are a lab that tests of this package share, which the first one makes that asks
// for it. Whoever comes next finds it as the one before has left it: whole, or not at all.
// It goes once nobody waits for it: what nobody asks costs as well.
type hosts struct {
	specs func() []lab.Spec // asked once flags are known
	dir   string
	lab   *lab.Lab
}

// four are n1 with the pacemaker and the app shop, and n2 … n4 with hearts and routers.
var four = hosts{specs: func() []lab.Spec { return lab.Specs(4) }}

// use gives the lab to a test, after the others that wait for it.
func (h *hosts) use(tb testing.TB) *lab.Lab {
	tb.Helper()
	skipQuick(tb)
	labs.take(tb, h)
	if h.lab == nil {
		testkit.Must(tb, h.begin(tb))
	}
	tb.Cleanup(func() { h.leave(tb) })
	return h.lab
}

func (h *hosts) begin(tb testing.TB) (err error) {
	if h.dir, err = os.MkdirTemp("/tmp", "ao"); err != nil {
		return err
	}
	o := labOf(tb, h.dir, h.specs()...)
	o.First = func(_ context.Context, l *lab.Lab) error {
		on(tb, l.Pacemaker()).newApp("shop", "hello").deploy()
		return nil
	}
	h.lab, err = lab.Up(testkit.Bounded(tb), o)
	return err
}

// labOf is a lab with the programs of these tests, in a directory.
func labOf(tb testing.TB, dir string, specs ...lab.Spec) lab.Options {
	return lab.Options{
		Dir: dir + "/lab", Tree: "../..", Daemon: daemonOf(tb), Client: filepath.Join(bin, "aorta"),
		Hosts: specs, Guard: []string{filepath.Join(bin, "labctl"), "guard"}, Env: []string{goRace},
	}
}

// ownLab makes a lab for one test, and takes it away with that.
func ownLab(tb testing.TB, first func(context.Context, *lab.Lab) error, specs ...lab.Spec) *lab.Lab {
	tb.Helper()
	skipQuick(tb)
	labs.take(tb, nil)
	o := labOf(tb, testkit.ShortDir(tb), specs...)
	o.First = first
	l, err := lab.Up(testkit.Bounded(tb), o)
	testkit.Must(tb, err)
	tb.Cleanup(func() {
		for _, host := range l.Hosts {
			if log := host.Log(); strings.Contains(log, "WARNING: DATA RACE\n") || tb.Failed() {
				tb.Errorf("the log of %s:\n%s", host.Name, tail(log, 6000))
			}
		}
		testkit.Must(tb, l.Down(testkit.BoundedBy(tb, context.Background())))
	})
	return l
}

// leave mends what a test has broken, or takes the lab of one that failed away.
func (h *hosts) leave(tb testing.TB) {
	ctx := testkit.BoundedBy(tb, context.Background())
	err := h.lab.Heal(ctx)
	for _, host := range h.lab.Hosts {
		if log := host.Log(); strings.Contains(log, "WARNING: DATA RACE\n") || tb.Failed() {
			tb.Errorf("the log of %s:\n%s", host.Name, tail(log, 6000))
		}
		if !host.IsOn() {
			err = errors.Join(err, host.Boot(ctx))
		}
	}
	if err != nil || tb.Failed() {
		tb.Log("the lab is taken away, the next test makes a new one", err)
		testkit.Must(tb, h.end())
	}
}

// end takes the lab away, if there is one.
func (h *hosts) end() error {
	if h.lab == nil {
		return nil
	}
	err := errors.Join(h.lab.Down(context.Background()), os.RemoveAll(h.dir))
	h.lab = nil
	return err
}

// on is the cluster as those see it who sit at one of its hosts.
func on(tb testing.TB, host *lab.Host) *cluster {
	dir := testkit.ShortDir(tb)
	return &cluster{
		tb: tb, dir: dir, docker: host.Engine(), api: host.API(), router: "http://" + host.Router(), room: host.Room, env: append(userEnv(dir), host.Env()...),
	}
}

// without are the hosts but the pacemaker's and the one of that name.
func (h *hosts) without(name string) []*lab.Host {
	return slices.DeleteFunc(slices.Clone(h.lab.Hosts[1:]), func(host *lab.Host) bool { return host.Name == name })
}

// among is the same app as those see it who ask a host's router from outside.
func (h *hosts) among(tb testing.TB, host *lab.Host, app string) *project {
	c := on(tb, host)
	c.room = h.lab.Clients
	return &project{c: c, name: app, dir: c.dir}
}

// states are those of the nodes, by name.
func (c *cluster) states() map[string]string {
	c.tb.Helper()
	states := map[string]string{}
	for _, n := range asJSON[[]wire.Node](c, "nodes") {
		states[n.Name] = n.State
	}
	return states
}

// Four hosts are one cluster: each serves every app, also while the pacemaker is away.
func TestLab_FourHostsServeWhileThePacemakerIsAway(t *testing.T) {
	t.Parallel()
	l := four.use(t)
	n1, n3 := l.Hosts[0], l.Hosts[2]
	var joined []string
	for _, n := range asJSON[[]wire.Node](on(t, n1), "nodes") {
		joined = append(joined, fmt.Sprint(n.Name, n.Address, n.State, n.Roles))
	}
	slices.Sort(joined)
	want := []string{"n110.77.0.1ready[pacemaker heart router builder]", "n210.77.0.2ready[heart router]", "n310.77.0.3ready[heart router]", "n410.77.0.4ready[heart router]"}
	if !slices.Equal(joined, want) {
		t.Errorf("got the nodes %v, want %v", joined, want)
	}
	current := (&project{c: on(t, n1), name: "shop"}).running(1)[0].Release // tests before this one may have made another one
	if got := four.among(t, n3, "shop").release(); got != current {
		t.Errorf("through n3: got release %q, want %s", got, current)
	}

	testkit.Must(t, n1.KillDaemon(testkit.Bounded(t)))
	tally, err := lab.Load{App: "shop", Rate: 100, For: time.Second, Wait: testkit.Hang, Via: []*lab.Host{n3}}.Run(testkit.Bounded(t), l)
	testkit.Must(t, err)

	if tally.OK != 100 {
		t.Errorf("through n3 without a pacemaker: got %d ok and %v, want 100 ok", tally.OK, tally.Causes)
	}
	testkit.Must(t, n1.StartDaemon(testkit.Bounded(t)))
	four.ready(t)
}

// ready waits until all nodes are.
func (h *hosts) ready(tb testing.TB) {
	tb.Helper()
	c := on(tb, h.lab.Pacemaker())
	testkit.Eventually(tb, "four nodes to be ready", func() bool {
		n := 0
		for _, state := range c.states() {
			if state == "ready" {
				n++
			}
		}
		return n == len(h.lab.Hosts)
	})
}

// A whole cluster has nothing that needs attention. Each host's bridges are looked for in
// its own network, and are found from the first moment.
func TestLab_NothingIsOutOfOrder(t *testing.T) {
	t.Parallel()
	l := four.use(t)

	c := on(t, l.Pacemaker())
	testkit.Eventually(t, "the cluster to be in order", func() bool { // tests before this one have broken it
		return asJSON[wire.Status](c, "status").State == "ok"
	})

	for _, host := range l.Hosts {
		if log := host.Log(); regexp.MustCompile(`out of order" part="?firewall`).MatchString(log) {
			t.Errorf("the log of %s has the firewall out of order:\n%s", host.Name, tail(log, 3000))
		}
	}
}

func TestLab_AHostWithoutPowerIsMissedAndComesBack(t *testing.T) {
	t.Parallel()
	l := four.use(t)
	c := on(t, l.Pacemaker())
	runs := (&project{c: c, name: "shop", dir: c.dir}).running(1)[0]
	others := four.without(runs.Node)
	lost, via := others[0], others[1]

	testkit.Must(t, lost.Kill(testkit.Bounded(t)))

	testkit.Eventually(t, lost.Name+" to be missed", func() bool { return c.states()[lost.Name] != "ready" })
	four.among(t, via, "shop").serve(5)
	testkit.Must(t, lost.Boot(testkit.Bounded(t)))
	four.ready(t)
	if got := four.among(t, lost, "shop").release(); got != runs.Release {
		t.Errorf("through %s after its boot: got release %q, want %s", lost.Name, got, runs.Release)
	}
}

// Containers on one host reach the routers of all, and nothing else on any.
func TestLab_ContainersReachTheRoutersAlone(t *testing.T) {
	t.Parallel()
	l := four.use(t)
	n1, n2 := l.Hosts[0], l.Hosts[1]
	c := on(t, n1)
	want := map[string]string{n1.Address() + ":7421": "refused"} // the nodes' API
	for _, host := range l.Hosts {
		want[host.Router()], want[strings.TrimPrefix(host.API(), "http://")] = "open", "refused"
	}
	for _, name := range []string{"routes", "jobs", "stats"} {
		want[(&cluster{tb: t, dir: n1.Disk()}).recordedAddress("redis_"+name)] = "refused"
	}
	all := slices.Sorted(maps.Keys(want))
	outside := on(t, n2)
	seen := outcomesIn(t, outside.run(outside.dir, filepath.Join(bin, "testapp"), append([]string{"dial"}, all...)...).out)
	for _, at := range all {
		if seen[at] != "open" {
			t.Errorf("from n2 itself %s is %q, want it open", at, seen[at])
		}
	}
	testkit.Eventually(t, "the rules of n1 to know all routers", func() bool { // nodes hear of one another by their reports
		rules := c.run(c.dir, "iptables", "-w", "-S").out
		return !slices.ContainsFunc(l.Hosts[1:], func(h *lab.Host) bool {
			return !regexp.MustCompile(`(?m)^.* ` + regexp.QuoteMeta(h.Address()) + `/32 .* 8080 .*RETURN`).MatchString(rules)
		})
	})
	app := c.newApp("dialler", "testapp", fmt.Sprintf(`RUN ["/app","dial","%s"]`, strings.Join(all, `","`)))

	said := app.deploy()

	if diff := cmp.Diff(want, outcomesIn(t, said)); diff != "" {
		t.Errorf("from a step of a build on n1 (-want +got):\n%s", diff)
	}
	where := slices.IndexFunc(l.Hosts, func(h *lab.Host) bool { return len(four.among(t, h, "dialler").containers()) > 0 })
	if diff := cmp.Diff(want, four.among(t, l.Hosts[where], "dialler").from(t, all...)); diff != "" {
		t.Errorf("from an instance on %s (-want +got):\n%s", l.Hosts[where].Name, diff)
	}
	image := c.engine("images", "-q")[0] // of the build on n1
	other := c.engine("run", "-d", "-e", "MODE=silent", image)[0]
	t.Cleanup(func() { c.engine("rm", "-f", other) })
	testkit.Eventually(t, "a container of somebody else's on n1 to reach it", func() bool {
		return c.dialIn(t, other, n1.Address()+":7421")[n1.Address()+":7421"] == "open"
	})
	c.aorta("apps", "destroy", "dialler", "--confirm", "dialler")
}
