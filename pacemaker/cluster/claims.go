package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"slices"
)

// Claims are what nodes say of where they are. The containers of all nodes are kept from
// these places, or let through to them, and routers send requests there, so that a node
// is believed only where it has shown to be: a connection with its key came from that
// address, which takes that what is sent there reaches it. Nothing else is tried, so that
// nobody can have the pacemaker look for them at addresses. Make them with NewClaims.
type Claims struct {
	nodes []Node
	from  map[ID]netip.Addr
	at    map[string][]int // of nodes, in their order, by the addresses where one is or connects from
	says  map[string][]int // of nodes, in their order, by the addresses that they say are theirs
}

// NewClaims takes the nodes and where each connects from, which it can't make up; a
// loopback address for those on the pacemaker's machine. Those that are not heard yet
// are not in it. Neither may change afterwards.
func NewClaims(nodes []Node, from map[ID]netip.Addr) Claims {
	c := Claims{nodes: nodes, from: from, at: map[string][]int{}, says: map[string][]int{}}
	for i, n := range nodes {
		c.at[n.Address] = append(c.at[n.Address], i)
		if ip, heard := from[n.ID]; heard && ip.String() != n.Address {
			c.at[ip.String()] = append(c.at[ip.String()], i)
		}
		for _, a := range n.Places.Addresses {
			c.says[a] = append(c.says[a], i)
		}
	}
	return c
}

// mostPlaces is how many of each kind a node is believed.
const mostPlaces = 64

// CheckAddress refuses the address of another node's machine.
func (c Claims) CheckAddress(n Node, address string) error {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return nil // none: its form is checked elsewhere
	}
	if other, is := c.another(n, ip); is {
		return Invalid("address", "%s is the address of node %s: name an address of this machine (--node-address), or remove that node if its machine is gone (aorta nodes remove %[2]s)", address, other.Name)
	}
	return nil
}

// another is the node on another machine that has an address. Who has shown it later
// has it: what the other one had shown is gone then.
func (c Claims) another(n Node, ip netip.Addr) (Node, bool) {
	from := c.from[n.ID]
	if from == ip || from.IsLoopback() {
		return Node{}, false
	}
	for _, i := range c.at[ip.String()] {
		if o := c.nodes[i]; !c.together(n, o) && (c.Shown(o, ip) || !c.Shown(n, ip)) {
			return o, true
		}
	}
	return Node{}, false
}

// Shown says whether a node has shown that it is at an address. One on the pacemaker's
// machine need not: who is root there has the cluster.
func (c Claims) Shown(n Node, ip netip.Addr) bool {
	from := c.from[n.ID]
	return from == ip || from.IsLoopback() && private(ip) || slices.Contains(n.Shown, ip.String())
}

// Former are the nodes on other machines that have shown an address which a node shows now.
func (c Claims) Former(n Node, ip netip.Addr) []ID {
	var ids []ID
	for _, o := range c.nodes {
		if slices.Contains(o.Shown, ip.String()) && !c.together(n, o) {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

// mostAsked is how many addresses a node is asked to show at a time.
const mostAsked = 16

// ToShow are the addresses that a node names and has not shown: first the one that its
// instances are published on, then those of its machine.
func (c Claims) ToShow(n Node, address string, said Places) []string {
	var list []string
	for _, a := range append([]string{address}, said.Addresses...) {
		ip, err := netip.ParseAddr(a)
		if err == nil && len(list) < mostAsked && CanBeShown(ip) && private(ip) && !c.Shown(n, ip) && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}

// CanBeShown says whether an address may be one machine's alone, as others reach it.
func CanBeShown(ip netip.Addr) bool {
	return ip.IsGlobalUnicast() && ip.Zone() == "" && !within(ip, CloudNetworks())
}

// together says whether two nodes are on one machine, as far as that is known.
func (c Claims) together(n, o Node) bool {
	one, two := c.from[n.ID], c.from[o.ID]
	if one.IsValid() && two.IsValid() {
		return one == two || n.ID == o.ID
	}
	return n.ID == o.ID || n.Address == o.Address && n.Address != ""
}

// Believed is what of a node's places is taken for true: addresses that it has shown and
// that are not another node's, and there the ports of its router.
func (c Claims) Believed(n Node, said Places) Places {
	var own Places
	for _, a := range said.Addresses {
		if ip, err := netip.ParseAddr(a); err == nil && len(own.Addresses) < mostPlaces && c.own(n, ip) {
			own.Addresses = append(own.Addresses, a)
		}
	}
	if !n.Has(RoleRouter) {
		return own
	}
	for _, a := range said.Public {
		at, err := netip.ParseAddrPort(a)
		if err == nil && len(own.Public) < mostPlaces && publicPort(at.Port()) && slices.Contains(own.Addresses, at.Addr().String()) && !c.shared(n, at.Addr()) {
			own.Public = append(own.Public, a)
		}
	}
	return own
}

func (c Claims) own(n Node, ip netip.Addr) bool {
	if !CanBeShown(ip) || !c.Shown(n, ip) {
		return false
	}
	_, is := c.another(n, ip)
	return !is
}

// shared says whether a node on another machine says that it has the address too: nobody
// knows who is right, and nothing is opened there.
func (c Claims) shared(n Node, ip netip.Addr) bool {
	text := ip.String()
	if from := c.from[n.ID]; from == ip || from.IsLoopback() || n.Address == text {
		return false
	}
	return slices.ContainsFunc(c.says[text], func(i int) bool { return !c.together(n, c.nodes[i]) })
}

// publicPort says whether a router may take requests there: at no port where machines
// have other services, nor where the platform has its own.
func publicPort(port uint16) bool {
	switch port {
	case 80, 443:
		return true
	case 7420, 7421:
		return false
	}
	return port >= 1024
}

// Neighbours are the places of all nodes, the one that is told among them.
type Neighbours struct {
	Digest string // of Nodes; a node that has it needs no more
	Nodes  []Places
}

// Neighbours has the places of all nodes, and the addresses that their instances are
// published on. What is stored may be from a version that believed all.
func (c Claims) Neighbours() Neighbours {
	n := Neighbours{Nodes: make([]Places, len(c.nodes))}
	for i, node := range c.nodes {
		n.Nodes[i] = c.Believed(node, node.Places)
		if node.Address != "" && !slices.Contains(n.Nodes[i].Addresses, node.Address) {
			n.Nodes[i].Addresses = append(n.Nodes[i].Addresses, node.Address)
		}
	}
	raw, _ := json.Marshal(n.Nodes) // texts alone: can't fail
	sum := sha256.Sum256(raw)
	n.Digest = hex.EncodeToString(sum[:8])
	return n
}
