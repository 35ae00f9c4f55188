package listeners

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// socket is one that is listened on.
type socket struct {
	addr  netip.AddrPort
	inode string
}

// overlapping are the sockets that keep addr from being listened on.
func overlapping(addr string) ([]socket, error) {
	want, err := parse(addr)
	if err != nil {
		return nil, err
	}
	var found []socket
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		raw, err := os.ReadFile(table)
		if errors.Is(err, fs.ErrNotExist) {
			continue // no IPv6 here
		}
		if err != nil {
			return nil, fmt.Errorf("list who listens: %w", err)
		}
		for line := range strings.Lines(string(raw)) {
			if s, ok := parseSocket(line); ok && overlap(s.addr, want) {
				found = append(found, s)
			}
		}
	}
	return found, nil
}

// elsewhere says where a socket is that takes an address in another spelling.
func (s socket) elsewhere(addr string) string {
	if want, err := parse(addr); err == nil && want == s.addr {
		return ""
	}
	return ", at " + s.addr.String()
}

func overlap(a, b netip.AddrPort) bool {
	return a.Port() == b.Port() && (a.Addr() == b.Addr() || a.Addr().IsUnspecified() || b.Addr().IsUnspecified())
}

const stateListen = "0A"

// parseSocket reads a line of the kernel's table: number, local address, remote
// address, state, five more, inode.
func parseSocket(line string) (socket, bool) {
	fields := strings.Fields(line)
	if len(fields) < 10 || fields[3] != stateListen {
		return socket{}, false
	}
	host, port, ok := strings.Cut(fields[1], ":")
	raw, err := hex.DecodeString(host)
	n, perr := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || perr != nil || len(raw)%4 != 0 {
		return socket{}, false
	}
	// Each four bytes are a number in the machine's order.
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	ip, ok := netip.AddrFromSlice(raw)
	return socket{addr: netip.AddrPortFrom(ip.Unmap(), uint16(n)), inode: fields[9]}, ok
}

// holders are the processes that have the socket open, as far as they can be
// seen.
func (s socket) holders() []int {
	var pids []int
	open, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range open {
		if to, err := os.Readlink(fd); err == nil && to == "socket:["+s.inode+"]" {
			pid, _ := strconv.Atoi(strings.Split(fd, "/")[2])
			pids = append(pids, pid)
		}
	}
	return pids
}

func program(pid int) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return "a program"
	}
	return strings.TrimSpace(string(name))
}
