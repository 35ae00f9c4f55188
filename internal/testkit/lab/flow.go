package lab

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Flow is one way of a conversation between two hosts.
type Flow struct {
	Protocol string // tcp or udp
	From, To netip.AddrPort
}

// flows are what was sent, by whom to whom.
type flows map[Flow][]byte

// Sizes of what comes before what is sent.
const (
	ethernetHeader = 14
	ipv4Header     = 20
	ipv6Header     = 40
	udpHeader      = 8
	tcpHeader      = 20
)

// add takes a frame up, if a host sent it to another one.
func (f flows) add(frame []byte) {
	if len(frame) < ethernetHeader || !ofHost(frame[0:6]) || !ofHost(frame[6:12]) {
		return
	}
	packet := frame[ethernetHeader:]
	switch binary.BigEndian.Uint16(frame[12:]) {
	case unix.ETH_P_IP:
		if len(packet) < ipv4Header {
			return
		}
		begin, end := int(packet[0]&15)*4, int(binary.BigEndian.Uint16(packet[2:]))
		f.addSegment(packet[9], packet[12:16], packet[16:20], cut(packet, begin, end))
	case unix.ETH_P_IPV6:
		if len(packet) < ipv6Header {
			return
		}
		end := ipv6Header + int(binary.BigEndian.Uint16(packet[4:]))
		f.addSegment(packet[6], packet[8:24], packet[24:40], cut(packet, ipv6Header, end))
	}
}

// cut is what lies between two places, as far as there is something.
func cut(b []byte, begin, end int) []byte {
	end = min(end, len(b))
	return b[min(begin, end):end]
}

// ofHost says whether a hardware address is that of a host's card.
func ofHost(address []byte) bool {
	return bytes.HasPrefix(address, []byte{0x02, 0x77, 0, 0, 0}) && address[5] >= 1 && address[5] <= maxHosts
}

func (f flows) addSegment(protocol byte, from, to, segment []byte) {
	name, header := "", 0
	switch {
	case protocol == unix.IPPROTO_TCP && len(segment) >= tcpHeader:
		name, header = "tcp", int(segment[12]>>4)*4
	case protocol == unix.IPPROTO_UDP && len(segment) >= udpHeader:
		name, header = "udp", udpHeader
	default:
		return
	}
	payload := cut(segment, header, len(segment))
	if len(payload) == 0 {
		return
	}
	way := Flow{Protocol: name, From: addrPort(from, segment[0:2]), To: addrPort(to, segment[2:4])}
	f[way] = append(f[way], payload...)
}

func addrPort(ip, port []byte) netip.AddrPort {
	a, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(a, binary.BigEndian.Uint16(port))
}
