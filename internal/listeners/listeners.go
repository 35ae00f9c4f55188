// Package listeners says whether an address can be listened on, and which
// process has it when not. It listens on nothing itself for longer than the
// question takes.
package listeners

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// Check returns an error that names the cause when addr, IP:PORT or :PORT, can't
// be listened on. What a process has for which ours is true counts as free: it
// will let go of it, or go on with it.
func Check(addr string, ours func(pid int) bool) error {
	network := "tcp"
	if strings.HasPrefix(addr, ":") {
		network = "tcp4" // as nginx takes it; a listener for both families wants this one too
	}
	l, err := net.Listen(network, addr)
	switch {
	case err == nil:
		return l.Close()
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s is no address of this machine", hostOf(addr))
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("this process may not listen on %s (ports below 1024 need root or CAP_NET_BIND_SERVICE)", addr)
	case !errors.Is(err, syscall.EADDRINUSE):
		return err
	}
	taken, ferr := overlapping(addr)
	if ferr != nil {
		return errors.Join(err, ferr)
	}
	for _, s := range taken {
		switch pids := s.holders(); {
		case len(pids) == 0:
			return fmt.Errorf("%s is in use by a process that can't be seen from here%s", addr, s.elsewhere(addr))
		case !ours(pids[0]):
			return fmt.Errorf("%s is in use by %s (process %d%s)", addr, program(pids[0]), pids[0], s.elsewhere(addr))
		}
	}
	return nil
}

// Overlaps says whether something listens on the port of addr at another
// address that takes addr's connections, or the other way round: one of them
// must go before the other can come.
func Overlaps(addr string) (bool, error) {
	taken, err := overlapping(addr)
	if err != nil {
		return false, err
	}
	want, err := parse(addr)
	for _, s := range taken {
		if s.addr != want {
			return true, nil
		}
	}
	return false, err
}

func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

// parse reads IP:PORT, or :PORT as all of IPv4.
func parse(addr string) (netip.AddrPort, error) {
	if strings.HasPrefix(addr, ":") {
		addr = "0.0.0.0" + addr
	}
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return ap, fmt.Errorf("%q is not IP:PORT: %w", addr, err)
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
}
