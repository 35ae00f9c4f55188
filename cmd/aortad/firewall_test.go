package main_test

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
)

// exposed is a cluster whose services listen at all addresses of this machine, as far
// as they can, beside two programs of the operator's.
type exposed struct {
	*cluster
	ports           map[string]string // by option
	private, opened string            // ports of the two; apps may reach one of them
}

func newExposed(t *testing.T) exposed {
	t.Helper()
	e := exposed{cluster: unstarted(t), ports: map[string]string{}, private: listenWide(t), opened: listenWide(t)}
	for _, option := range []string{"listen", "node-listen", "router-listen", "router-status-listen"} {
		e.ports[option] = testkit.FreePort(t)
		e.flags = append(e.flags, "--"+option, ":"+e.ports[option])
	}
	e.flags = append(e.flags, "--redis-address", addressOf(t, "docker0"), "--containers-may-reach", ":"+e.opened)
	e.api, e.router = "http://127.0.0.1:"+e.ports["listen"], "http://127.0.0.1:"+e.ports["router-listen"]
	e.start()
	return e
}

// listenWide takes connections at all addresses, and gives the port.
func listenWide(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	testkit.Must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// addressOf is the IPv4 address of an interface.
func addressOf(t *testing.T, name string) string {
	t.Helper()
	list := addressesOf(t, name)
	if len(list) == 0 {
		t.Fatalf("%s has no address", name)
	}
	return list[0]
}

// addressesOf are all of an interface that are not of its link alone, IPv4 first.
func addressesOf(t *testing.T, name string) (list []string) {
	t.Helper()
	link, err := net.InterfaceByName(name)
	testkit.Must(t, err)
	all, err := link.Addrs()
	testkit.Must(t, err)
	for _, a := range all {
		if prefix := netip.MustParsePrefix(a.String()); prefix.Addr().IsGlobalUnicast() {
			list = append(list, prefix.Addr().String())
		}
	}
	return list
}

// links are the interfaces of this machine but for those that other tests' engines and
// clusters make and remove.
func (e exposed) links(t *testing.T) []string {
	t.Helper()
	all, err := net.Interfaces()
	testkit.Must(t, err)
	names := []string{"docker0", e.bridge()}
	for _, l := range all {
		if l.Flags&net.FlagLoopback == 0 && !regexp.MustCompile(`^(docker|br-|ao-|veth)`).MatchString(l.Name) {
			names = append(names, l.Name)
		}
	}
	return names
}

func (e exposed) bridge() string { return "ao-" + e.mark() }

// mark is in the name of what the cluster has on this machine.
func (e exposed) mark() string { return strings.TrimPrefix(e.networkOf(), "aorta-") }

func (e exposed) networkOf() string {
	return e.engine("network", "ls", "--filter", "label=aorta.cluster="+e.id(), "--format", "{{.Name}}")[0]
}

// table has all of the services' addresses, with what containers are to find there.
func (e exposed) table(t *testing.T) map[string]string {
	t.Helper()
	want := map[string]string{}
	for _, link := range e.links(t) {
		for _, ip := range addressesOf(t, link) {
			at := func(port string) string { return net.JoinHostPort(ip, port) }
			for _, port := range []string{e.ports["listen"], e.ports["node-listen"], e.private} {
				want[at(port)] = "refused"
			}
			if netip.MustParseAddr(ip).Is4() { // alone: the router and containers have no IPv6
				want[at(e.ports["router-listen"])], want[at(e.ports["router-status-listen"])], want[at(e.opened)] = "open", "refused", "open"
			}
		}
	}
	for _, name := range []string{"routes", "jobs", "stats"} {
		want[e.recordedAddress("redis_"+name)] = "refused"
	}
	return want
}

// closedV6 leaves of what is IPv6 whether it was reached: the engine gives containers no
// such address, and each says so in words of its own.
func closedV6(t *testing.T, got map[string]string) map[string]string {
	t.Helper()
	for at, outcome := range got {
		if outcome != "open" && netip.MustParseAddrPort(at).Addr().Is6() {
			got[at] = "refused"
		}
	}
	return got
}

var dialled = regexp.MustCompile(`(?m)dialled (\S+) (.*?)\s*$`)

func outcomesIn(t *testing.T, said string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, m := range dialled.FindAllStringSubmatch(said, -1) {
		got[m[1]] = m[2]
	}
	return closedV6(t, got)
}

// from gives what an instance of the app finds at addresses.
func (p *project) from(t *testing.T, addresses ...string) map[string]string {
	t.Helper()
	return p.c.dialIn(t, p.containers()[0], addresses...)
}

// dialIn gives what is found from a container of the test's app.
func (c *cluster) dialIn(t *testing.T, container string, addresses ...string) map[string]string {
	t.Helper()
	r := c.run(c.dir, "docker", slices.Concat([]string{"-H", c.docker, "exec", container, "/app", "dial"}, addresses)...)
	if r.code != 0 {
		t.Fatalf("dial in a container: %s%s", r.out, r.err)
	}
	return outcomesIn(t, r.out)
}

// rulesOf are the machine's firewall rules with the cluster's mark.
func rulesOf(t *testing.T, mark string) (rules []string) {
	t.Helper()
	for _, tool := range []string{"iptables-save", "ip6tables-save"} {
		out, err := exec.Command(tool, "-t", "filter").Output()
		testkit.Must(t, err)
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "AORTA") && strings.Contains(line, mark) {
				rules = append(rules, strings.TrimSpace(line))
			}
		}
	}
	return rules
}

func TestFirewall_KeepsContainersFromThePlatform(t *testing.T) {
	t.Parallel()
	e := newExposed(t)
	shop := e.newApp("shop", "testapp")
	shop.deploy()
	want := e.table(t)
	want[e.ps("shop")[0].Address] = "refused" // another app, where it is published
	address := e.engine("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", shop.containers()[0])[0]
	want[address+":5000"] = "refused" // and where it is
	for at := range want {
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatalf("nothing is there to be kept from: %v", err)
		}
		_ = c.Close()
	}
	all := slices.Sorted(maps.Keys(want))
	blog := e.newApp("blog", "testapp", fmt.Sprintf(`RUN ["/app","dial","%s"]`, strings.Join(all, `","`)))

	said := blog.deploy()

	if diff := cmp.Diff(want, outcomesIn(t, said)); diff != "" {
		t.Errorf("from a step of a build (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, blog.from(t, all...)); diff != "" {
		t.Errorf("from an instance (-want +got):\n%s", diff)
	}
	private := net.JoinHostPort(addressOf(t, "docker0"), e.private)
	e.takesNothingFromOthers(t, blog, private)
	e.outlivesDamage(t, blog, private)
	e.outlivesAnother(t, blog, all, want)
	e.leavesNoRule(t)
}

// takesNothingFromOthers runs a container of somebody else's on the bridge of builds.
func (e exposed) takesNothingFromOthers(t *testing.T, app *project, private string) {
	t.Helper()
	image := e.engine("inspect", "-f", "{{.Image}}", app.containers()[0])[0]
	other := e.engine("run", "-d", "-e", "MODE=silent", image)[0]
	defer e.engine("rm", "-f", other)
	testkit.Eventually(t, "a container of somebody else to reach this machine", func() bool { return e.dialIn(t, other, private)[private] == "open" })
}

// outlivesDamage has somebody flush and unhook the cluster's rules.
func (e exposed) outlivesDamage(t *testing.T, app *project, private string) {
	t.Helper()
	before := len(rulesOf(t, e.bridge())) // those of the builds' bridge follow who comes and goes there
	for _, args := range [][]string{{"-F", "AORTA-IN-" + e.bridge()}, {"-D", "INPUT", "-i", e.bridge(), "-j", "AORTA-IN-" + e.bridge()}} {
		if out, err := exec.Command("iptables", args...).CombinedOutput(); err != nil {
			t.Fatalf("iptables %v: %v\n%s", args, err, out)
		}
	}
	testkit.Eventually(t, "the rules to be there again", func() bool { return len(rulesOf(t, e.bridge())) == before })
	if got := app.from(t, private)[private]; got != "refused" {
		t.Errorf("got %s after the rules were mended, want it refused", got)
	}
	if !strings.Contains(e.log(), "somebody has removed firewall rules") {
		t.Error("the daemon's log says nothing of it")
	}
}

// outlivesAnother has another cluster come and go on the same machine and engine.
func (e exposed) outlivesAnother(t *testing.T, app *project, all []string, want map[string]string) {
	t.Helper()
	before := len(rulesOf(t, e.bridge()))
	second := newExposed(t)
	mark := second.mark()
	if len(rulesOf(t, mark)) == 0 {
		t.Error("the second cluster has no rules")
	}
	if diff := cmp.Diff(want, app.from(t, all...)); diff != "" {
		t.Errorf("beside another cluster (-want +got):\n%s", diff)
	}
	second.leavesNoRule(t)
	if got := len(rulesOf(t, e.bridge())); got != before {
		t.Errorf("got %d rules after another cluster has gone, want %d as before", got, before)
	}
}

// leavesNoRule stops the daemon, by which its rules stay, and then all.
func (e exposed) leavesNoRule(t *testing.T) {
	t.Helper()
	mark := e.mark()
	e.term()
	if len(rulesOf(t, mark)) == 0 {
		t.Error("no rule is left while instances go on without the daemon")
	}
	e.end()
	if got := rulesOf(t, mark); len(got) > 0 {
		t.Errorf("got %d rules after aortad stop --all, want none:\n%s", len(got), strings.Join(got, "\n"))
	}
}
