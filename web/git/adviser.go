package git

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"aorta/internal/disk"
	"aorta/internal/gitrepo"
	"aorta/pacemaker/cluster"
)

// How git words a pack above the limit, an object above the limit of memory, and
// commits whose parents are nowhere.
var (
	tooLarge = []byte("pack exceeds maximum allowed size")
	tooBig   = []byte("Out of memory")
	shallow  = []byte("shallow update not allowed")
)

// adviser passes git's answer on and adds what to do about a pack or an object
// that is too large, a shallow clone or a disk that takes no writes, which git leaves the
// pusher to guess. It passes whole packets, since only between two of them a third one fits.
type adviser struct {
	out     io.Writer
	dir     string // of the repository
	maxPack int64
	scarce  bool   // the disk has less room than that
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
	if !a.raw && worthAdvice(out) {
		out = a.advise(out)
	}
	if _, err := a.out.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// worthAdvice says that some packet may have words for which there is advice.
func worthAdvice(packets []byte) bool {
	contains := func(words []byte) bool { return bytes.Contains(packets, words) }
	return slices.ContainsFunc([][]byte{tooLarge, tooBig, shallow}, contains) || notUnpacked(packets) || gitrepo.Refusal(string(packets)) != nil
}

// notUnpacked recognises the result of a push whose objects could not be stored.
func notUnpacked(report []byte) bool {
	return bytes.Contains(report, []byte("unpack ")) && !bytes.Contains(report, []byte("unpack ok"))
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
	text := ""
	for text == "" {
		p, err := readPacket(r)
		if err != nil {
			return packets
		}
		text = a.advice(p.payload)
	}
	at := len(packets) - r.Len()
	out := append([]byte(nil), packets[:at]...)
	out = appendPacket(out, "\x02\n"+text)
	return append(out, packets[at:]...)
}

// advice says what to do about what a packet of git's says; "" for nothing.
func (a *adviser) advice(payload []byte) string {
	if len(payload) == 0 {
		return ""
	}
	refused := gitrepo.Refusal(string(payload))
	switch band := payload[0]; {
	case band == 2 && refused != nil:
		return "The push can't be stored: " + disk.Reason(a.dir, refused) + ".\n"
	case band == 2 && a.scarce && bytes.Contains(payload, tooLarge):
		return "The push can't be stored: " + disk.Shortage(a.dir) + ".\n"
	case band == 1 && notUnpacked(payload):
		if refused := disk.Try(a.dir); disk.Refused(refused) {
			return "The push can't be stored: " + disk.Reason(a.dir, refused) + ".\n"
		}
	case band == 2 && bytes.Contains(payload, tooLarge):
		return fmt.Sprintf("This push is larger than %s, the limit of one push. Keep build products, dependencies and media out of git;\n"+
			"what is committed already must leave the history too (git filter-branch or git filter-repo).\n", cluster.Bytes(a.maxPack))
	case band == 2 && bytes.Contains(payload, tooBig):
		return fmt.Sprintf("This push holds a file that takes more than %s to unpack. Keep build products, dependencies and media out of git.\n", cluster.Bytes(gitrepo.ClientMemory))
	case band == 1 && bytes.Contains(payload, shallow):
		return "This clone is shallow, and the app's repository needs the whole history. Fetch it and push again: git fetch --unshallow\n" +
			"Or deploy the files without their history: aorta deploy\n"
	}
	return ""
}
