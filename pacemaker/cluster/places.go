package cluster

import (
	"net/netip"
	"slices"
)

// Places are where a node's machine is reached from others: containers of all
// nodes are kept from its addresses, but for what is public there.
type Places struct {
	Addresses []string // without those that mean something on the machine alone: loopback, link, bridges of its engine
	Public    []string // IP:PORT of what is for everyone, which is where its router takes requests
}

// maxPlaces bounds each list: every node is told of all.
const maxPlaces = 256

// ValidatePlaces checks what a node says of itself.
func ValidatePlaces(p Places) error {
	if len(p.Addresses) > maxPlaces || len(p.Public) > maxPlaces {
		return Invalid("places", "names more than %d addresses", maxPlaces)
	}
	for _, a := range p.Addresses {
		if ip, err := netip.ParseAddr(a); err != nil || ip.Zone() != "" {
			return Invalid("places", "%q is not an IP address", Clip(a))
		}
	}
	for _, a := range p.Public {
		if at, err := netip.ParseAddrPort(a); err != nil || at.Addr().Zone() != "" {
			return Invalid("places", "%q is not IP:PORT", Clip(a))
		}
	}
	return nil
}

// Equal says whether both name the same, in the same order.
func (p Places) Equal(q Places) bool {
	return slices.Equal(p.Addresses, q.Addresses) && slices.Equal(p.Public, q.Public)
}
