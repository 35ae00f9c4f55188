package heart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"aorta/heart/docker"
)

// kernelRuntimes run containers whose sockets are the kernel's own. Others have
// sockets of their own, which the kernel does not show.
var kernelRuntimes = []string{"runc", "io.containerd.runc.v2", "crun"}

// prove connects to an instance's address and looks for the other end in its network
// namespace: what answers there must be the instance. What can't be looked at, as on
// another machine, is believed.
func prove(ctx context.Context, c docker.Container, address string) error {
	if !slices.Contains(kernelRuntimes, c.Runtime) {
		return nil
	}
	fd, lives, err := process{Container: c.EngineID, Pid: c.Pid}.open()
	if err != nil || !lives {
		return nil
	}
	defer func() { _ = unix.Close(fd) }()
	conn, err := (&net.Dialer{Timeout: checkTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return plainDial(err)
	}
	defer func() { _ = conn.Close() }()
	own, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return fmt.Errorf("read the address of a connection: %w", err)
	}
	if has, err := hasPeer(c.Pid, own); has || err != nil || wasReset(conn) {
		return nil
	}
	return fmt.Errorf("at its address %s answers a process that is not its own (whom the engine knows there: docker network inspect)", c.Address)
}

// wasReset says whether the other end has thrown the connection away, after which its
// kernel knows nothing of it.
func wasReset(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now())
	_, err := conn.Read(make([]byte, 1))
	return errors.Is(err, unix.ECONNRESET)
}

// hasPeer says whether the network namespace of a process has a socket whose other
// end is that one. One on which the kernel has just heard is listed too.
func hasPeer(pid int, other netip.AddrPort) (bool, error) {
	for _, name := range []string{"tcp", "tcp6"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, name))
		if os.IsNotExist(err) && name == "tcp6" {
			continue // a kernel without IPv6
		}
		if err != nil {
			return false, fmt.Errorf("read the sockets of process %d: %w", pid, err)
		}
		if lists(data, other) {
			return true, nil
		}
	}
	return false, nil
}

// lists says whether /proc/net/tcp or tcp6 has a socket with that other end.
func lists(data []byte, other netip.AddrPort) bool {
	for line := range bytes.Lines(data) {
		fields := bytes.Fields(line)
		if len(fields) < 4 {
			continue
		}
		if at, ok := kernelAddrPort(fields[2]); ok && at == other {
			return true
		}
	}
	return false
}

// kernelAddrPort parses an address with a port as the kernel prints it.
func kernelAddrPort(text []byte) (netip.AddrPort, bool) {
	host, port, ok := bytes.Cut(text, []byte{':'})
	n, err := strconv.ParseUint(string(port), 16, 16)
	addr, known := kernelAddr(host)
	return netip.AddrPortFrom(addr, uint16(n)), ok && err == nil && known
}
