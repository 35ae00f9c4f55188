package docker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// linkIndex is the number of this machine's network interface of that name, 0 when
// there is none. A number never comes back.
func linkIndex(name string) int {
	link, err := net.InterfaceByName(name)
	if err != nil {
		return 0
	}
	return link.Index
}

// masters are the bridges that this machine's network interfaces are ports of, both by
// their numbers. The kernel is asked, of the network that this process is in: files
// below /sys show that of whoever mounted it.
func masters() map[int]int {
	found := map[int]int{}
	all, err := syscall.NetlinkRIB(unix.RTM_GETLINK, unix.AF_UNSPEC)
	if err != nil {
		return found
	}
	messages, err := syscall.ParseNetlinkMessage(all)
	if err != nil {
		return found
	}
	for _, m := range messages {
		attrs, err := syscall.ParseNetlinkRouteAttr(&m)
		if err != nil || m.Header.Type != unix.RTM_NEWLINK {
			continue
		}
		for _, a := range attrs {
			if a.Attr.Type == unix.IFLA_MASTER && len(a.Value) == 4 {
				found[int(binary.NativeEndian.Uint32(m.Data[4:]))] = int(binary.NativeEndian.Uint32(a.Value))
			}
		}
	}
	return found
}

// deleteLink removes a network interface of this machine. It is no error when it is
// gone already.
func deleteLink(index int) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("remove a network interface: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Sendto(fd, deletion(index), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("remove a network interface: %w", err)
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return fmt.Errorf("remove a network interface: %w", err)
	}
	if err := acknowledged(answer[:n]); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("remove a network interface: %w", err)
	}
	return nil
}

// deletion asks the kernel to remove an interface, and to say what came of it.
func deletion(index int) []byte {
	b := make([]byte, unix.SizeofNlMsghdr+unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], unix.RTM_DELLINK)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	binary.NativeEndian.PutUint32(b[unix.SizeofNlMsghdr+4:], uint32(index))
	return b
}

// acknowledged reads the kernel's answer.
func acknowledged(answer []byte) error {
	if len(answer) < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(answer[4:]) != unix.NLMSG_ERROR {
		return errors.New("the kernel's answer can't be read")
	}
	if code := int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}
