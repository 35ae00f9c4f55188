package firewall

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// generation gives the number that the kernel raises with each change of a rule of
// nftables, in this network namespace. Asking is much cheaper than reading rules.
func generation() (uint32, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return 0, fmt.Errorf("ask for the generation of the rules: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Sendto(fd, askGeneration(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, fmt.Errorf("ask for the generation of the rules: %w", err)
	}
	buf := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, buf, 0)
	if err != nil {
		return 0, fmt.Errorf("read the generation of the rules: %w", err)
	}
	return readGeneration(buf[:n])
}

// nfgenmsg is the size of what comes before the attributes of a message.
const nfgenmsg = 4

func askGeneration() []byte {
	b := make([]byte, unix.SizeofNlMsghdr+nfgenmsg)
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETGEN)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST)
	return b
}

var errNoGeneration = errors.New("the kernel tells no generation of the rules")

func readGeneration(b []byte) (uint32, error) {
	messages, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return 0, fmt.Errorf("read the generation of the rules: %w", err)
	}
	for _, m := range messages {
		if m.Header.Type != unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_NEWGEN || len(m.Data) < nfgenmsg {
			continue
		}
		for attrs := m.Data[nfgenmsg:]; len(attrs) >= unix.SizeofNlAttr; {
			size := int(binary.NativeEndian.Uint16(attrs))
			if size < unix.SizeofNlAttr || size > len(attrs) {
				break
			}
			if binary.NativeEndian.Uint16(attrs[2:]) == unix.NFTA_GEN_ID && size >= unix.SizeofNlAttr+4 {
				return binary.BigEndian.Uint32(attrs[unix.SizeofNlAttr:]), nil
			}
			attrs = attrs[min(len(attrs), (size+3)&^3):]
		}
	}
	return 0, errNoGeneration
}
