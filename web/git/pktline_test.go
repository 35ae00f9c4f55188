package git

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/gitrepo"
	"aorta/internal/testkit"
)

func TestReadPacket(t *testing.T) {
	cases := map[string]struct {
		in   string
		want packet
		err  error
	}{
		"payload":       {"0006a\n", packet{payload: []byte("a\n")}, nil},
		"empty payload": {"0004", packet{payload: []byte{}}, nil},
		"flush":         {"0000", packet{special: '0'}, nil},
		"delimiter":     {"0001", packet{special: '1'}, nil},
		"upper case":    {"000Aabcdef", packet{payload: []byte("abcdef")}, nil},
		"end":           {"", packet{}, io.EOF},
		"cut length":    {"00", packet{}, io.ErrUnexpectedEOF},
		"cut payload":   {"0008ab", packet{}, io.ErrUnexpectedEOF},
		"length 3":      {"0003", packet{}, ErrPktLine},
		"not hex":       {"00g4", packet{}, ErrPktLine},
		"sign":          {"+004", packet{}, ErrPktLine},
		"too long":      {"fff1" + strings.Repeat("x", 70000), packet{}, ErrPktLine},
	}
	for name, c := range cases {
		got, err := readPacket(strings.NewReader(c.in))

		if !errors.Is(err, c.err) {
			t.Errorf("%s: got error %v, want %v", name, err, c.err)
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(packet{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func FuzzReadPacket(f *testing.F) {
	f.Add([]byte("0006a\n0000"))
	f.Add([]byte("fff4"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bytes.NewReader(in)
		var again []byte
		for {
			p, err := readPacket(r)
			if err != nil {
				break
			}
			if p.special != 0 {
				again = append(again, "000"+string(p.special)...)
			} else {
				again = appendPacket(again, string(p.payload))
			}
		}
		if !bytes.HasPrefix(lower(in), lower(again)) {
			t.Errorf("read and written again: got %q, want the head of %q", again, in)
		}
	})
}

// lower is a packet stream with the digits of its lengths in one case. What is no
// UTF-8 stays as it is.
func lower(in []byte) []byte {
	out := bytes.Clone(in)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] = c - 'A' + 'a'
		}
	}
	return out
}

func FuzzReadCommands(f *testing.F) {
	id := strings.Repeat("1", 40)
	f.Add([]byte(string(appendPacket(nil, gitrepo.NoCommit+" "+id+" refs/heads/main\n")) + flushPacket))
	f.Fuzz(func(t *testing.T, in []byte) {
		list, err := readCommands(bytes.NewReader(in))
		for _, c := range list {
			if !validID(c.Old) || !validID(c.New) || strings.ContainsAny(c.Ref, " \n\x00") {
				t.Errorf("command %+v out of %q, want it refused (%v)", c, in, err)
			}
		}
	})
}

func FuzzPlain(f *testing.F) {
	f.Add("a\x1b[31mb\x1b]0;title\x07c\r\x9b1m\xff")
	f.Fuzz(func(t *testing.T, in string) {
		if got := plain(in); strings.ContainsAny(got, "\x1b\r\n\x00\x07\u009b") {
			t.Errorf("plain(%q): got %q, want no control characters", in, got)
		}
	})
}

func TestAdviser_AddsOnePacketBehindGitsWords(t *testing.T) {
	var out bytes.Buffer
	a := &adviser{out: &out, maxPack: 512 << 20}
	before := string(appendPacket(nil, "\x02progress\n"))
	words := string(appendPacket(nil, "\x02fatal: pack exceeds maximum allowed size (512.00 MiB)\n"))
	after := string(appendPacket(nil, "\x01report")) + flushPacket

	for _, b := range []byte(before + words + after) {
		if _, err := a.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}

	head, rest, ok := strings.Cut(out.String(), words)
	if !ok || head != before {
		t.Fatalf("head: got %q, want %q", head, before)
	}
	advice, err := readPacket(strings.NewReader(rest))
	if err != nil || !strings.Contains(string(advice.payload), "larger than 512m") {
		t.Errorf("advice: got %q, %v, want it to name the limit", advice.payload, err)
	}
	if !strings.HasSuffix(rest, after) {
		t.Errorf("rest: got %q, want it to end with %q", rest, after)
	}
}

// Git says of a disk that takes no writes what it likes, or that it could not unpack.
func TestAdviser_NamesADiskThatTakesNoWrites(t *testing.T) {
	dir := testkit.ShortDir(t)
	testkit.MountExt4(t, dir, 16).Break(t)
	for name, c := range map[string]struct{ words, want string }{
		"its words":     {"\x02fatal: unable to create temporary file: Read-only file system\n", "The push can't be stored: the disk at " + dir + " is read-only"},
		"another cause": {"\x02fatal: write error: Disk quota exceeded\n", "its disk quota is used up"},
		"no words":      {"\x01" + string(appendPacket(nil, "unpack unable to create temporary object directory\n")), "is read-only: the kernel made it so"},
		"unpacked":      {"\x01" + string(appendPacket(nil, "unpack ok\n")), ""},
	} {
		var out bytes.Buffer
		a := &adviser{out: &out, dir: dir}
		packet := appendPacket(nil, c.words)

		_, err := a.Write(packet)

		advice, said := strings.CutPrefix(out.String(), string(packet))
		if err != nil || !said || !strings.Contains(advice, c.want) || c.want == "" && advice != "" {
			t.Errorf("%s: got %q, %v, want %q behind it", name, out.String(), err, c.want)
		}
	}
}

func TestAdviser_PassesWhatIsNoPktLines(t *testing.T) {
	var out bytes.Buffer
	a := &adviser{out: &out}
	const raw = "not pkt-lines: pack exceeds maximum allowed size"

	_, err := io.WriteString(a, raw)

	if err != nil || out.String() != raw {
		t.Errorf("output: got %q, %v, want %q", out.String(), err, raw)
	}
}
