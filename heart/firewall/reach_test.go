package firewall

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// site is a node with what there is around it: on its cluster's bridge an app and
// another one's instance, on the engine's bridge the step of a build and a container
// of somebody else, and on its link another node, a machine of the operator's and the
// internet, all three in one namespace.
type site struct {
	node, app, neighbour, step, stranger, world machine
}

const (
	clusterBridge = "ao-aaaaaaaa"
	engineBridge  = "docker0"
	strangerPort  = "veth-stranger"
)

func newSite(t *testing.T) site {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("this test makes network namespaces, which needs root")
	}
	s := site{
		node: newMachine(t, "node"), app: newMachine(t, "app"), neighbour: newMachine(t, "neighbour"),
		step: newMachine(t, "step"), stranger: newMachine(t, "stranger"), world: newMachine(t, "world"),
	}
	s.bridge(clusterBridge, "30", map[string]machine{"veth-app": s.app, "veth-neighbour": s.neighbour})
	s.bridge(engineBridge, "31", map[string]machine{"veth-step": s.step, strangerPort: s.stranger})
	s.node.link("uplink", s.world, "eth0",
		"10.77.0.2/24", "fd77::2/64", "10.77.0.9/24", "fd77::9/64", "198.51.100.1/32", "2001:db8::1/128",
		"169.254.169.254/32", "fd00:ec2::254/128", "10.77.0.53/24", "10.77.0.63/24")
	s.node.ip("address add 10.77.0.1/24 dev uplink", "address add fd77::1/64 dev uplink nodad",
		"route add default via 10.77.0.2", "route add default via fd77::2")
	s.world.ip("route add default via 10.77.0.1", "route add default via fd77::1")
	s.node.tool("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.bridge.bridge-nf-call-iptables=1", "net.bridge.bridge-nf-call-ip6tables=1")
	for _, m := range []machine{s.node, s.world, s.neighbour, s.stranger} {
		m.serves("80", "53", "6379")
	}
	return s
}

// bridge makes one on the node, with containers on it.
func (s site) bridge(name, number string, containers map[string]machine) {
	s.node.ip("link add "+name+" type bridge", "link set "+name+" up",
		fmt.Sprintf("address add 172.%s.0.1/24 dev %s", number, name), fmt.Sprintf("address add fd%s::1/64 dev %s nodad", number, name))
	for i, port := range slices.Sorted(maps.Keys(containers)) {
		m := containers[port]
		s.node.link(port, m, "eth0", fmt.Sprintf("172.%s.0.%d/24", number, i+2), fmt.Sprintf("fd%s::%d/64", number, i+2))
		s.node.ip("link set " + port + " master " + name)
		m.ip(fmt.Sprintf("route add default via 172.%s.0.1", number), fmt.Sprintf("route add default via fd%s::1", number))
	}
}

func addrs(texts ...string) (list []netip.Addr) {
	for _, s := range texts {
		list = append(list, netip.MustParseAddr(s))
	}
	return list
}

func places(texts ...string) (list []netip.AddrPort) {
	for _, s := range texts {
		list = append(list, netip.MustParseAddrPort(s))
	}
	return list
}

// policy is that of the site's node, whose router and that of the other one are at
// port 80.
func (s site) policy() Policy {
	return Policy{
		Owner:     "aorta-aaaaaaaa-bbbbbbbb",
		Bridges:   []Bridge{{Name: clusterBridge}, {Name: engineBridge, Others: []string{strangerPort}}},
		Public:    places("0.0.0.0:80", "[::]:80", "10.77.0.2:80", "[fd77::2]:80"),
		Nodes:     addrs("10.77.0.1", "fd77::1", "10.77.0.2", "fd77::2"),
		Resolvers: addrs("172.30.0.1", "169.254.169.254"),
		Services:  places("10.77.0.63:6379"),
	}
}

// reach is what containers on both bridges get to. The rest of the answers is for
// ever open.
var (
	closed = []string{
		// This machine, at each of its addresses.
		"tcp/172.30.0.1:6379", "tcp/172.31.0.1:6379", "tcp/10.77.0.1:6379", "tcp/[fd30::1]:6379", "tcp/[fd31::1]:6379", "tcp/[fd77::1]:6379",
		"udp/172.31.0.1:6379", "udp/10.77.0.1:6379", "udp/[fd77::1]:6379", "udp/10.77.0.1:80",
		// The other node.
		"tcp/10.77.0.2:6379", "udp/10.77.0.2:6379", "tcp/[fd77::2]:6379", "udp/[fd77::2]:80",
		// What is given to machines by their link, and a Redis of the operator's for the platform.
		"tcp/169.254.169.254:80", "tcp/[fd00:ec2::254]:80", "tcp/10.77.0.63:6379",
		// Other apps and containers.
		"tcp/172.30.0.3:80", "tcp/[fd30::3]:80", "udp/172.30.0.3:80", "tcp/172.31.0.3:80", "tcp/[fd31::3]:80",
	}
	open = []string{
		// The routers.
		"tcp/172.30.0.1:80", "tcp/172.31.0.1:80", "tcp/10.77.0.1:80", "tcp/[fd30::1]:80", "tcp/[fd77::1]:80", "tcp/10.77.0.2:80", "tcp/[fd77::2]:80",
		// Name servers, wherever they are.
		"udp/172.30.0.1:53", "tcp/172.30.0.1:53", "udp/169.254.169.254:53", "tcp/169.254.169.254:53",
		// The operator's other machine, other ports of that with the Redis, the internet.
		"tcp/10.77.0.9:80", "tcp/10.77.0.9:6379", "udp/10.77.0.9:53", "tcp/[fd77::9]:6379", "tcp/10.77.0.63:80",
		"tcp/198.51.100.1:80", "udp/198.51.100.1:53", "tcp/[2001:db8::1]:80",
	}
)

// outcomes are all of the addresses with one outcome.
func outcomes(outcome string, to []string) map[string]string {
	all := map[string]string{}
	for _, a := range to {
		all[a] = outcome
	}
	return all
}

func wantOutcomes() map[string]string {
	want := outcomes("open", open)
	maps.Copy(want, outcomes("refused", closed))
	return want
}

func TestPolicy_KeepsContainersFromThePlatform(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	all := slices.Concat(open, closed)
	for _, m := range []machine{s.app, s.step} {
		if diff := cmp.Diff(outcomes("open", all), m.dials(all...)); diff != "" {
			t.Fatalf("before there are rules, from %s (-want +got):\n%s", m.name, diff)
		}
	}
	s.node.enter()

	changed, err := s.policy().set(t.Context())
	if err != nil || !changed {
		t.Fatalf("got %t, %v, want the rules set", changed, err)
	}

	for _, m := range []machine{s.app, s.step} {
		if diff := cmp.Diff(wantOutcomes(), m.dials(all...)); diff != "" {
			t.Errorf("from %s (-want +got):\n%s", m.name, diff)
		}
	}
	// Nothing is taken from others, nor from the machine itself and who comes to it.
	if diff := cmp.Diff(outcomes("open", all), s.stranger.dials(all...)); diff != "" {
		t.Errorf("from a container of somebody else (-want +got):\n%s", diff)
	}
	inwards := []string{"tcp/172.30.0.3:80", "tcp/[fd30::3]:6379", "udp/172.31.0.3:53", "udp/172.30.0.3:53", "tcp/10.77.0.1:6379"}
	for _, m := range []machine{s.node, s.world} {
		if diff := cmp.Diff(outcomes("open", inwards), m.dials(inwards...)); diff != "" {
			t.Errorf("from %s (-want +got):\n%s", m.name, diff)
		}
	}
}

func TestPolicy_OpensWhatTheOperatorSays(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.node.enter()
	p := s.policy()
	p.May = places("0.0.0.0:6379", "[::]:6379", "169.254.169.254:80")
	if _, err := p.set(t.Context()); err != nil {
		t.Fatal(err)
	}

	want := map[string]string{
		"tcp/172.30.0.1:6379": "open", "tcp/10.77.0.1:6379": "open", "udp/[fd77::1]:6379": "open", "tcp/169.254.169.254:80": "open",
		"tcp/10.77.0.2:6379": "refused", "tcp/169.254.169.254:6379": "refused", "udp/10.77.0.1:80": "refused",
	}
	for _, m := range []machine{s.app, s.step} {
		if diff := cmp.Diff(want, m.dials(slices.Collect(maps.Keys(want))...)); diff != "" {
			t.Errorf("from %s (-want +got):\n%s", m.name, diff)
		}
	}
}

// An engine without a proxy replaces the address of a published port.
func TestPolicy_RefusesPublishedPortsThatTheEngineReplaces(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, tool := range []string{"iptables", "ip6tables"} {
		to := map[string]string{"iptables": "172.30.0.3:80", "ip6tables": "[fd30::3]:80"}[tool]
		for _, port := range []string{"21000", "21001"} {
			s.node.tool(tool, "-t", "nat", "-A", "PREROUTING", "-m", "addrtype", "--dst-type", "LOCAL", "-p", "tcp", "--dport", port, "-j", "DNAT", "--to-destination", to)
		}
	}
	s.node.enter()
	p := s.policy()
	p.May = places("10.77.0.1:21001", "[::]:21001")
	s.step.tool("sysctl", "-qw", "net.ipv4.tcp_syn_retries=2")
	if _, err := p.set(t.Context()); err != nil {
		t.Fatal(err)
	}

	want := map[string]string{
		// A refusal comes from the address that took its place, and does not count.
		"tcp/10.77.0.1:21000": "silent", "tcp/172.31.0.1:21000": "silent", "tcp/[fd77::1]:21000": "silent",
		"tcp/10.77.0.1:21001": "open", "tcp/172.31.0.1:21001": "silent", "tcp/[fd77::1]:21001": "open",
	}
	if diff := cmp.Diff(want, s.step.dials(slices.Collect(maps.Keys(want))...)); diff != "" {
		t.Errorf("from a step (-want +got):\n%s", diff)
	}
	outside := []string{"tcp/10.77.0.1:21000", "tcp/[fd77::1]:21000"}
	if diff := cmp.Diff(outcomes("open", outside), s.world.dials(outside...)); diff != "" {
		t.Errorf("from outside (-want +got):\n%s", diff)
	}
}

func TestKeeper_MendsWhatSomebodyRemoves(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.node.enter()
	k := NewKeeper(func(context.Context) (Policy, error) { return s.policy(), nil }, slog.New(slog.DiscardHandler))
	k.Keep(t.Context())
	in, fw := hooks[0].chain(clusterBridge), hooks[1].chain(engineBridge)

	for name, damage := range map[string][]string{
		"all rules":       {"iptables -F", "ip6tables -F"},
		"all chains":      {"iptables -F", "iptables -X"},
		"a chain's rules": {"iptables -F " + in},
		"one rule":        {"ip6tables -D " + fw + " 1"},
		"a jump":          {"iptables -D INPUT -i " + clusterBridge + " -j " + in},
		"a jump twice":    {"iptables -I FORWARD 1 -i " + engineBridge + " -j " + fw},
		"the order":       {"iptables -I INPUT 1 -j ACCEPT", "ip6tables -I FORWARD 1 -j ACCEPT"},
		"the engine's chain for others comes": {
			"iptables -N DOCKER-USER", "iptables -A DOCKER-USER -j RETURN", "iptables -I FORWARD 1 -j ACCEPT", "iptables -I FORWARD 1 -j DOCKER-USER",
		},
	} {
		for _, line := range damage {
			words := strings.Fields(line)
			if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
		}

		k.Keep(t.Context())

		if k.Fault() != nil {
			t.Fatalf("%s: %v", name, k.Fault())
		}
		for _, f := range families {
			have, err := saved(t.Context(), f)
			if lines := s.policy().sorted().plan(f, have); err != nil || len(lines) > 0 {
				t.Errorf("%s: %s: got %v, still to be done: %v", name, f.name, err, lines)
			}
		}
		if got := s.app.dials("tcp/10.77.0.1:6379", "tcp/10.77.0.2:6379"); got["tcp/10.77.0.1:6379"] != "refused" || got["tcp/10.77.0.2:6379"] != "refused" {
			t.Errorf("%s: got %v, want both refused", name, got)
		}
	}
}

// Nodes of several clusters, or of one, work beside each other.
func TestPolicy_LeavesOthersAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.node.enter()
	one, two := s.policy(), s.policy()
	two.Owner = "aorta-cccccccc-dddddddd"
	two.Bridges = []Bridge{{Name: "ao-cccccccc"}, one.Bridges[1]}
	one.Public, two.Public = places("0.0.0.0:80"), places("0.0.0.0:6379")
	one.Nodes = nil
	before := s.node.tool("iptables-save") + s.node.tool("ip6tables-save")
	for _, p := range []Policy{one, two} {
		if _, err := p.set(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	for range 2 { // neither undoes what the other one does
		for _, p := range []Policy{one, two} {
			if changed, err := p.set(t.Context()); err != nil || changed {
				t.Errorf("%s: got %t, %v, want nothing to do", p.Owner, changed, err)
			}
		}
	}
	want := map[string]string{"tcp/10.77.0.1:80": "open", "tcp/10.77.0.1:6379": "open", "tcp/10.77.0.1:53": "refused"}
	if diff := cmp.Diff(want, s.step.dials(slices.Collect(maps.Keys(want))...)); diff != "" {
		t.Errorf("from a step of either (-want +got):\n%s", diff)
	}
	if err := Remove(t.Context(), two.Owner); err != nil {
		t.Fatal(err)
	}
	if changed, err := one.set(t.Context()); err != nil || changed {
		t.Errorf("got %t, %v after the other one has gone, want nothing to do", changed, err)
	}
	if got := s.node.tool("iptables-save"); strings.Contains(got, "cccccccc") {
		t.Errorf("something is left of who has gone:\n%s", got)
	}
	if err := Remove(t.Context(), one.Owner); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rulesIn(before), rulesIn(s.node.tool("iptables-save")+s.node.tool("ip6tables-save"))); diff != "" {
		t.Errorf("what is left of both (-before +after):\n%s", diff)
	}
}

// rulesIn drops dates, counters and tables that an empty one is the same as.
func rulesIn(saved string) []string {
	var lines []string
	for line := range strings.Lines(saved) {
		if strings.HasPrefix(line, "-A ") || strings.HasPrefix(line, ":AORTA") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
