package config

import (
	"net"
	"net/netip"
	"strconv"

	"aorta/pacemaker/cluster"
)

// given is a listener with its address as it was given.
type given struct{ field, addr string }

func (c *Config) listeners() []given {
	return []given{
		{"listen", c.Listen},
		{"node_listen", c.NodeListen},
		{"router_listen", c.RouterListen},
		{"router_status_listen", c.RouterStatusListen},
	}
}

// checkListeners checks each address, and that no two are the same.
func (c *Config) checkListeners(all *mistakes) {
	list := c.listeners()
	for i, l := range list {
		all.add(checkListen(l.field, l.addr))
		for _, before := range list[:i] {
			if !all.has(l.field, before.field) && overlap(before.addr, l.addr) {
				all.add(cluster.Invalid(l.field, "%s is the address of %s (%s) too: give one of them another port", l.addr, before.field, before.addr))
			}
		}
	}
}

func checkListen(field, addr string) error {
	if addr == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err == nil && host != "" {
		_, err = netip.ParseAddr(host)
	}
	n := 0
	if err == nil {
		n, err = strconv.Atoi(port)
	}
	if err != nil || n < 0 || n > 65535 {
		return cluster.Invalid(field, "%q is not IP:PORT or :PORT", addr)
	}
	return nil
}

// overlap says whether two addresses can't be listened on at once. Port 0 is a
// free one.
func overlap(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || everywhere(hostA) || everywhere(hostB)
}

func everywhere(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}
