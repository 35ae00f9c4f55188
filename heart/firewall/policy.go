package firewall

import (
	"fmt"
	"net/netip"
	"strings"

	"aorta/pacemaker/cluster"
)

// Policy says what containers of one node may reach of the platform. In Public and May,
// 0.0.0.0 and :: stand for any address of this machine.
type Policy struct {
	Owner   Owner
	Bridges []Bridge
	// Public is what is for everyone: where routers take requests, of this node and
	// of others.
	Public []netip.AddrPort
	// May is what the operator opens, by TCP and UDP.
	May []netip.AddrPort
	// Resolvers are name servers that containers are told of; their port 53 is open
	// wherever they are.
	Resolvers []netip.Addr
	// Nodes are addresses of the cluster's machines. Those of this one need not be
	// among them.
	Nodes []netip.Addr
	// Services are the platform's at addresses that are no node's.
	Services []netip.AddrPort
}

// Bridge is one that containers are connected to.
type Bridge struct {
	Name string
	// Others are the bridge's ends of links to containers that are none of the
	// cluster's, which nothing is taken from.
	Others []string
}

// Owner marks the rules of one node: several may work on one machine.
type Owner string

// OwnerOf is the mark of a cluster's node.
func OwnerOf(clusterID, node cluster.ID) Owner {
	return Owner(fmt.Sprintf("aorta-%s-%s", clusterID.Short(), node.Short()))
}

// family is one of the two of the internet protocol, as its tools are called.
type family struct {
	name    string // of the tools, without -save and -restore
	is      func(netip.Addr) bool
	refusal string // for what is no TCP
}

var families = []family{
	{"iptables", netip.Addr.Is4, "icmp-port-unreachable"},
	{"ip6tables", netip.Addr.Is6, "icmp6-port-unreachable"},
}

// hook is where packets are looked at.
type hook struct {
	prefix string // of our chains
	parent string // the kernel's chain
	user   string // the engine's for rules of others, which it jumps to from parent before its own
}

var hooks = []hook{
	{prefix: "AORTA-IN-", parent: "INPUT"},
	{prefix: "AORTA-FW-", parent: "FORWARD", user: "DOCKER-USER"},
}

// through is the hook of packets that go through this machine.
func (h hook) through() bool { return h.user != "" }

func (h hook) chain(bridge string) string { return h.prefix + bridge }

// bridgeOf is the bridge of one of our chains.
func bridgeOf(chain string) (bridge string, ours bool) {
	for _, h := range hooks {
		if bridge, ours = strings.CutPrefix(chain, h.prefix); ours {
			return bridge, true
		}
	}
	return "", false
}
