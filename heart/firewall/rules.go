package firewall

import (
	"fmt"
	"net/netip"
	"slices"

	"aorta/pacemaker/cluster"
)

// pass are the rules of what is not looked at any further, in their order. All end
// with RETURN: who comes after us may still refuse.
func (p Policy) pass(f family, h hook, b Bridge) []string {
	rules := []string{"-m conntrack --ctstate RELATED,ESTABLISHED"}
	for _, end := range b.Others {
		rules = append(rules, "-m physdev --physdev-in "+end)
	}
	if f.name == "ip6tables" && !h.through() {
		// Neighbours ask one another for their hardware's addresses.
		for kind := 133; kind <= 136; kind++ {
			rules = append(rules, fmt.Sprintf("-p ipv6-icmp --icmpv6-type %d", kind))
		}
	}
	for _, at := range p.May {
		rules = append(rules, opened(f, h, at, "tcp", "udp")...)
	}
	for _, at := range p.Public {
		rules = append(rules, opened(f, h, at, "tcp")...)
	}
	for _, resolver := range p.Resolvers {
		rules = append(rules, opened(f, h, netip.AddrPortFrom(resolver, 53), "tcp", "udp")...)
	}
	for i, r := range rules {
		rules[i] = r + " -j RETURN"
	}
	return rules
}

// opened are the rules by which an address and port is reached. Of what goes through
// this machine the engine may have replaced it, so what was asked for counts.
func opened(f family, h hook, at netip.AddrPort, protocols ...string) []string {
	if !f.is(at.Addr()) {
		return nil
	}
	var match string
	switch any := at.Addr().IsUnspecified(); {
	case h.through() && any:
		match = fmt.Sprintf("-m conntrack --ctstate DNAT --ctorigdstport %d", at.Port())
	case h.through():
		match = fmt.Sprintf("-m conntrack --ctorigdst %s --ctorigdstport %d", at.Addr(), at.Port())
	case any:
		match = fmt.Sprintf("--dport %d", at.Port())
	default:
		match = fmt.Sprintf("-d %s --dport %d", at.Addr(), at.Port())
	}
	rules := make([]string, len(protocols))
	for i, protocol := range protocols {
		rules[i] = "-p " + protocol + " " + match
	}
	return rules
}

// refuse are the rules of what is kept from containers: all of this machine, and what
// there is of the platform elsewhere.
func (p Policy) refuse(f family, h hook) []string {
	if !h.through() {
		return refused(f, "")
	}
	// Whoever asked for an address that was replaced asked for a port that is
	// published here.
	rules := refused(f, "-m conntrack --ctstate DNAT ")
	for _, b := range p.Bridges {
		rules = append(rules, refused(f, "-o "+b.Name+" ")...)
	}
	for _, node := range p.Nodes {
		if f.is(node) {
			rules = append(rules, refused(f, "-d "+node.String()+" ")...)
		}
	}
	for _, network := range cluster.CloudNetworks() {
		if f.is(network.Addr()) {
			rules = append(rules, refused(f, "-d "+network.String()+" ")...)
		}
	}
	for _, at := range p.Services {
		if f.is(at.Addr()) {
			rules = append(rules, fmt.Sprintf("-d %s -p tcp --dport %d -j REJECT --reject-with tcp-reset", at.Addr(), at.Port()))
		}
	}
	return rules
}

// refused are the rules that refuse what matches, and say so at once: an app that
// hangs for minutes tells nobody what is wrong with its configuration. TCP gets a
// reset, since another refusal does not end an attempt to connect that is not yet
// waiting for its answer, as is the case between a container and its own machine.
func refused(f family, match string) []string {
	return []string{match + "-p tcp -j REJECT --reject-with tcp-reset", match + "-j REJECT --reject-with " + f.refusal}
}

// sorted has each list in an order of its own, once: the same policy is the same rules.
func (p Policy) sorted() Policy {
	p.Public, p.May, p.Services = ordered(p.Public, netip.AddrPort.Compare), ordered(p.May, netip.AddrPort.Compare), ordered(p.Services, netip.AddrPort.Compare)
	p.Nodes, p.Resolvers = ordered(p.Nodes, netip.Addr.Compare), ordered(p.Resolvers, netip.Addr.Compare)
	return p
}

func ordered[T comparable](list []T, compare func(T, T) int) []T {
	list = slices.Clone(list)
	slices.SortFunc(list, compare)
	return slices.Compact(list)
}
