package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"slices"
)

// Claims are what nodes say of where they are. The containers of all nodes are kept from
// these places, or let through to them, so that a node is believed of its own alone.
type Claims struct {
	Nodes []Node
	// From is where each connects from, which it can't make up; a loopback address for
	// those on the pacemaker's machine. Those that are not heard yet are not in it.
	From map[ID]netip.Addr
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

// another is the node on another machine that has an address.
func (c Claims) another(n Node, ip netip.Addr) (Node, bool) {
	from := c.From[n.ID]
	if from == ip || from.IsLoopback() {
		return Node{}, false
	}
	for _, o := range c.Nodes {
		if !c.together(n, o) && (o.Address == ip.String() || c.From[o.ID] == ip) {
			return o, true
		}
	}
	return Node{}, false
}

// together says whether two nodes are on one machine, as far as that is known.
func (c Claims) together(n, o Node) bool {
	one, two := c.From[n.ID], c.From[o.ID]
	if one.IsValid() && two.IsValid() {
		return one == two || n.ID == o.ID
	}
	return n.ID == o.ID || n.Address == o.Address && n.Address != ""
}

// Believed is what of a node's places is taken for true: private addresses that are not
// another node's and the one that it connects from, and there the ports of its router.
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
	if !private(ip) && (ip != c.From[n.ID] || !ip.IsGlobalUnicast()) || within(ip, CloudNetworks()) {
		return false
	}
	_, is := c.another(n, ip)
	return !is
}

// shared says whether a node on another machine says that it has the address too: nobody
// knows who is right, and nothing is opened there.
func (c Claims) shared(n Node, ip netip.Addr) bool {
	if from := c.From[n.ID]; from == ip || from.IsLoopback() || n.Address == ip.String() {
		return false
	}
	return slices.ContainsFunc(c.Nodes, func(o Node) bool {
		return !c.together(n, o) && slices.Contains(o.Places.Addresses, ip.String())
	})
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
	n := Neighbours{Nodes: make([]Places, len(c.Nodes))}
	for i, node := range c.Nodes {
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
