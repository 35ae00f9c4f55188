package logs

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"aorta/heart/docker"
)

func TestAssembler_JoinsChunksOfOneStream(t *testing.T) {
	a := assembler{}

	_, early := a.add(docker.Chunk{Stream: "stdout", Text: []byte("a")})
	other, _ := a.add(docker.Chunk{Stream: "stderr", Text: []byte("e"), Whole: true})
	got, ok := a.add(docker.Chunk{Stream: "stdout", Text: []byte("b"), Whole: true})

	if early || other != "e" || got != "ab" || !ok {
		t.Errorf("got early %t, stderr %q, stdout %q %t; want false, e, ab true", early, other, got, ok)
	}
}

func TestReader_CountsChunksWithOneTime(t *testing.T) {
	at := time.Unix(100, 7)
	r := newReader(position{"stdout": {Time: at, Count: 2}, "stderr": {Time: at.Add(time.Second), Count: 1}})

	got := []bool{
		r.next("stdout", at.Add(-1)), r.next("stdout", at), r.next("stdout", at), r.next("stdout", at),
		r.next("stderr", at), r.next("stderr", at.Add(time.Second)), r.next("stderr", at.Add(time.Second)), r.next("stdout", at.Add(1)),
	}

	want := []bool{false, false, false, true, false, false, true, true}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("chunk %d is new: got %t, want %t", i, got[i], want[i])
		}
	}
}

func FuzzAssembler(f *testing.F) {
	f.Add([]byte("abc"), uint8(3))
	f.Add([]byte("\xff\xfe"), uint8(200))
	f.Fuzz(func(t *testing.T, piece []byte, pieces uint8) {
		a := assembler{}
		for range pieces {
			a.add(docker.Chunk{Stream: "stdout", Text: piece})
		}
		line, ok := a.add(docker.Chunk{Stream: "stdout", Text: piece, Whole: true})
		if !ok || !utf8.ValidString(line) || strings.Contains(line, CutMark) != ((int(pieces)+1)*len(piece) > MaxLine) && !strings.Contains(string(piece), CutMark) {
			t.Errorf("%d pieces of %d bytes: got %d bytes, whole %t", pieces, len(piece), len(line), ok)
		}
	})
}
