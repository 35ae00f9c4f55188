package git

import (
	"bytes"
	"fmt"
	"io"

	"aorta/pacemaker/cluster"
)

// tooLarge is how git words a pack above the limit.
var tooLarge = []byte("pack exceeds maximum allowed size")

// adviser passes git's answer on and adds what to do about a pack that is too
// large, which git leaves the pusher to guess. It passes whole packets, since
// only between two of them a third one fits.
type adviser struct {
	out     io.Writer
	maxPack int64
	held    []byte // an unfinished packet
	raw     bool   // not pkt-lines after all: nothing is added
}

// Write passes on all packets that p completes.
func (a *adviser) Write(p []byte) (int, error) {
	a.held = append(a.held, p...)
	ready := a.whole()
	if len(ready) == 0 {
		return len(p), nil
	}
	out := append([]byte(nil), ready...)
	a.held = append(a.held[:0], a.held[len(ready):]...)
	if !a.raw && bytes.Contains(out, tooLarge) {
		out = a.advise(out)
	}
	if _, err := a.out.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// whole is the part of what is held that ends with a packet.
func (a *adviser) whole() []byte {
	end := 0
	for !a.raw && len(a.held)-end >= 4 {
		n, err := packetLength([4]byte(a.held[end : end+4]))
		if err != nil || n == 3 {
			a.raw = true
			break
		}
		n = max(n, 4)
		if len(a.held)-end < n {
			break
		}
		end += n
	}
	if a.raw {
		return a.held
	}
	return a.held[:end]
}

// advise puts a packet of our own behind the one that holds git's words, on
// the band of remote: lines.
func (a *adviser) advise(packets []byte) []byte {
	r := bytes.NewReader(packets)
	for {
		p, err := readPacket(r)
		if err != nil {
			return packets
		}
		if len(p.payload) > 0 && p.payload[0] == 2 && bytes.Contains(p.payload, tooLarge) {
			break
		}
	}
	at := len(packets) - r.Len()
	text := fmt.Sprintf("\x02\nThis push is larger than %s, the limit of one push. Keep build products, dependencies and media out of git;\nwhat is committed already must leave the history too (git filter-branch or git filter-repo).\n", cluster.Bytes(a.maxPack))
	out := append([]byte(nil), packets[:at]...)
	out = appendPacket(out, text)
	return append(out, packets[at:]...)
}
