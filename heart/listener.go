package heart

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
)

// listener is a TCP socket that accepts connections.
type listener struct {
	addr netip.Addr
	port int
}

func (l listener) String() string {
	return netip.AddrPortFrom(l.addr, uint16(l.port)).String()
}

// engineDNS is where Docker answers DNS inside each container.
var engineDNS = netip.MustParseAddr("127.0.0.11")

// listenersOf returns the sockets that a container listens on, read through its
// first process: /proc/PID/net shows that process's network namespace.
func listenersOf(pid int) ([]listener, error) {
	if pid <= 0 {
		return nil, nil
	}
	var all []listener
	for _, name := range []string{"tcp", "tcp6"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, name))
		if errors.Is(err, fs.ErrNotExist) && name == "tcp6" {
			continue // a kernel without IPv6
		}
		if err != nil {
			return all, fmt.Errorf("read the sockets of process %d: %w", pid, err)
		}
		for _, l := range parseListeners(data) {
			if l.addr != engineDNS {
				all = append(all, l)
			}
		}
	}
	return all, nil
}

// parseListeners returns the listening sockets of /proc/net/tcp or tcp6 and
// skips lines that it does not understand.
func parseListeners(data []byte) []listener {
	const listening = "0A"
	var found []listener
	for line := range bytes.Lines(data) {
		fields := bytes.Fields(line)
		if len(fields) < 4 || string(fields[3]) != listening {
			continue
		}
		if at, ok := kernelAddrPort(fields[1]); ok {
			found = append(found, listener{addr: at.Addr(), port: int(at.Port())})
		}
	}
	return found
}

// kernelAddr parses an address as the kernel prints it: as 32-bit words, each in
// the machine's byte order.
func kernelAddr(text []byte) (netip.Addr, bool) {
	raw := make([]byte, hex.DecodedLen(len(text)))
	if _, err := hex.Decode(raw, text); err != nil || len(raw) != 4 && len(raw) != 16 {
		return netip.Addr{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	addr, ok := netip.AddrFromSlice(raw)
	return addr.Unmap(), ok
}
