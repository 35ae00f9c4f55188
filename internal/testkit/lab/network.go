package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// The places in the lab's networks beside those of its hosts, which begin at 1.
const (
	clientPlace = 250
	switchPlace = 254
)

// bridge is the switch's, whose ports are called as the hosts are.
const bridge = "lan"

func address4(place int) string { return "10.77.0." + strconv.Itoa(place) }

func address6(place int) string { return "fd77::" + strconv.Itoa(place) }

// mac is that of a host's card, which stays the same when it boots: others know it.
func mac(place int) string { return fmt.Sprintf("02:77:00:00:00:%02x", place) }

// raise makes the room's network namespace, which lasts while its file is mounted.
func (r *Room) raise() error {
	if err := errors.Join(os.MkdirAll(filepath.Dir(r.pin), 0o755), os.WriteFile(r.pin, nil, 0o600)); err != nil {
		return fmt.Errorf("make a network for %s: %w", r.Name, err)
	}
	return onThread(func() error {
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = unix.Mount("/proc/thread-self/ns/net", r.pin, "", unix.MS_BIND, "")
		}
		if err != nil {
			return fmt.Errorf("make a network for %s: %w", r.Name, err)
		}
		return nil
	})
}

// isUp says whether the room's network is there.
func (r *Room) isUp() bool {
	var s unix.Statfs_t
	return unix.Statfs(r.pin, &s) == nil && s.Type == unix.NSFS_MAGIC
}

// fall takes the room's network away, with all links and rules in it, once the
// processes in it have ended.
func (r *Room) fall() error {
	if err := unix.Unmount(r.pin, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("take away the network of %s: %w", r.Name, err)
	}
	return nil
}

// raiseSwitch makes the switch. It has an address too, since what it refuses it
// answers by itself.
func (l *Lab) raiseSwitch(ctx context.Context) error {
	if err := l.Switch.raise(); err != nil {
		return err
	}
	err := l.Switch.tool(ctx, []string{
		"link set lo up",
		"link add " + bridge + " type bridge",
		"address add " + address4(switchPlace) + "/24 dev " + bridge,
		"address add " + address6(switchPlace) + "/64 dev " + bridge + " nodad",
		"link set " + bridge + " up",
	}, "ip", "-batch", "-")
	if err != nil {
		return err
	}
	return l.Switch.inside(filterBridged)
}

// filterBridged makes the rules of the calling thread's network hold for what its
// bridges pass on.
func filterBridged() error {
	const dir = "/proc/sys/net/bridge/"
	if _, err := os.Stat(dir); err != nil {
		_ = exec.Command("modprobe", "br_netfilter").Run() // where it is a module
	}
	for _, name := range []string{"bridge-nf-call-iptables", "bridge-nf-call-ip6tables"} {
		if err := os.WriteFile(dir+name, []byte("1"), 0); err != nil {
			return fmt.Errorf("let rules hold for the switch, which needs the kernel's br_netfilter: %w", err)
		}
	}
	return nil
}

// port does something to a port of the switch, where there is one.
func (l *Lab) port(ctx context.Context, name, what string) error {
	there := false
	err := l.Switch.inside(func() error {
		_, err := net.InterfaceByName(name)
		there = err == nil
		return nil
	})
	if err != nil || !there {
		return err
	}
	return l.Switch.tool(ctx, []string{what}, "ip", "-batch", "-")
}

// plug makes a room's network and joins it to the switch.
func (l *Lab) plug(ctx context.Context, r *Room, place int) error {
	if err := r.raise(); err != nil {
		return err
	}
	err := r.tool(ctx, []string{
		"link set lo up",
		"link add eth0 address " + mac(place) + " type veth peer name " + r.Name + " netns " + l.Switch.pin,
		"address add " + address4(place) + "/24 dev eth0",
		"address add " + address6(place) + "/64 dev eth0 nodad",
		"link set eth0 up",
	}, "ip", "-batch", "-")
	if err != nil {
		return err
	}
	// As with IPv4, an address stays while the link is down.
	keep := func() error { return os.WriteFile("/proc/sys/net/ipv6/conf/eth0/keep_addr_on_down", []byte("1"), 0) }
	if err := r.inside(keep); err != nil {
		return fmt.Errorf("keep the address of %s: %w", r.Name, err)
	}
	return l.Switch.tool(ctx, []string{"link set " + r.Name + " master " + bridge + " up"}, "ip", "-batch", "-")
}
