package git

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"aorta/internal/gitrepo"
)

// A pack of a few kilobytes may name an object of any size; git would unpack it
// in memory.
func TestPush_OfAnObjectThatUnpacksToGigabytes(t *testing.T) {
	l := newLab(t, 0)
	body := appendPacket(nil, gitrepo.NoCommit+" "+strings.Repeat("1", 40)+" refs/heads/main\x00report-status side-band-64k")
	body = append(append(body, flushPacket...), bomb(3<<30)...)
	if len(body) > 64<<10 {
		t.Fatalf("the pack has %d bytes", len(body))
	}

	resp := l.request(t, "POST /git/shop.git/git-receive-pack", bytes.NewReader(body), map[string]string{"Content-Type": "application/x-git-receive-pack-request"})

	wantText(t, resp.body, "Out of memory", "takes more than 512m to unpack", "ng refs/heads/main")
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &used); err != nil || used.Maxrss<<10 > gitrepo.ClientMemory {
		t.Errorf("git took %d kB, %v; want less than its limit", used.Maxrss, err)
	}
	l.commit(t, "one")
	l.git(t, "push", "-q", "aorta", "main")
}

// bomb is a pack with an object of this many bytes: a delta that copies the
// same 16 MB again and again.
func bomb(size int) []byte {
	const piece = 0xffffff // the most that one instruction copies
	base := make([]byte, piece)
	delta := binary.AppendUvarint(nil, piece)
	delta = binary.AppendUvarint(delta, uint64(size/piece*piece))
	for range size / piece {
		delta = append(delta, 0xf0, 0xff, 0xff, 0xff)
	}
	sum := sha1.New()
	_, _ = fmt.Fprintf(sum, "blob %d\x00", piece)
	_, _ = sum.Write(base)

	pack := binary.BigEndian.AppendUint32(append([]byte("PACK"), 0, 0, 0, 2), 2)
	pack = append(packed(pack, 3, len(base)), deflated(base)...)
	pack = append(packed(pack, 7, len(delta)), sum.Sum(nil)...)
	pack = append(pack, deflated(delta)...)
	end := sha1.Sum(pack)
	return append(pack, end[:]...)
}

// packed appends the head of an object in a pack.
func packed(pack []byte, kind, size int) []byte {
	first := byte(kind<<4 | size&15)
	if size >>= 4; size == 0 {
		return append(pack, first)
	}
	return binary.AppendUvarint(append(pack, first|0x80), uint64(size))
}

func deflated(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

func TestPush_OfTooManyRefsIsRefusedAtOnce(t *testing.T) {
	l := newLab(t, 0)
	id := l.commit(t, "one")
	var refs strings.Builder
	for i := range maxCommands {
		_, _ = fmt.Fprintf(&refs, "create refs/tags/t%d %s\n", i, id)
	}
	make := client(t, l.copy, "update-ref", "--stdin")
	make.Stdin = strings.NewReader(refs.String())
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("make tags: %v: %s", err, out)
	}

	out, ok := l.try(t, "push", "--tags", "aorta", "main")

	if ok {
		t.Error("git succeeded, want a failure")
	}
	wantText(t, out, "a push may name 2000 refs and this one names more", "git push aorta main")
	if got := l.git(t, "ls-remote", "aorta"); got != "" {
		t.Errorf("refs after it: got %.200q, want none", got)
	}
	l.git(t, "push", "-q", "aorta", "main")
}

// What is held for a deploy is not published: it may have been refused.
func TestFetch_OfACommitThatNoVisibleRefLeadsTo(t *testing.T) {
	l := newLab(t, 0)
	l.commit(t, "one")
	l.git(t, "push", "-q", "aorta", "main")
	id := l.commit(t, "secret")
	l.git(t, "push", "-q", "aorta", "main:refs/tags/held")
	if err := l.repo.Hold(t.Context(), id, "op1"); err != nil {
		t.Fatal(err)
	}
	l.git(t, "push", "-q", "aorta", ":refs/tags/held")
	want := string(appendPacket(nil, "want "+id+"\n")) + flushPacket + string(appendPacket(nil, "done\n"))

	for _, version := range []string{"", "version=1", "version=2"} {
		resp := l.request(t, "POST /git/shop.git/git-upload-pack", strings.NewReader(want),
			map[string]string{"Content-Type": "application/x-git-upload-pack-request", "Git-Protocol": version})

		if !strings.Contains(resp.body, "not our ref") || strings.Contains(resp.body, "PACK") {
			t.Errorf("%q: got %d %.100q, want it refused", version, resp.code, resp.body)
		}
	}
	v2 := string(appendPacket(nil, "command=fetch")) + "0001" + string(appendPacket(nil, "want "+id+"\n")) + string(appendPacket(nil, "done\n")) + flushPacket
	resp := l.request(t, "POST /git/shop.git/git-upload-pack", strings.NewReader(v2),
		map[string]string{"Content-Type": "application/x-git-upload-pack-request", "Git-Protocol": "version=2"})
	if resp.code != 400 {
		t.Errorf("protocol 2: got %d %.100q, want 400", resp.code, resp.body)
	}
}
