package logstore

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/pacemaker/cluster"
)

func TestStore_PartThatComesTwiceIsStoredOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{})
	first := parts(s, append(lines("a", 0, 5), lines("b", 0, 5)...))
	send := func(list []cluster.LogPart) []cluster.LogPosition {
		refused, err := s.Append(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		return refused
	}

	accepted, again := send(first), send(first)
	_ = s.Close()
	s = open(t, dir, Config{})
	restarted := send(first[:1])
	ahead := send([]cluster.LogPart{{Instance: "b", App: shop, From: "9", To: "10", Lines: []cluster.LogText{{Text: "x"}}}})
	asked := send([]cluster.LogPart{{Instance: "a", App: shop}, {Instance: "new", App: shop}})

	at := func(instance cluster.ID) []cluster.LogPosition {
		return []cluster.LogPosition{{Instance: instance, At: "5"}}
	}
	if len(accepted) != 0 || len(again) != 2 || !cmp.Equal(restarted, at("a")) || !cmp.Equal(ahead, at("b")) || !cmp.Equal(asked, at("a")) {
		t.Errorf("refused: got %v, %v, %v, %v, %v, want none, 2, a at 5, b at 5, a at 5", accepted, again, restarted, ahead, asked)
	}
	wantLines(t, s, Query{Instance: "a"}, lines("a", 0, 5))
	wantLines(t, s, Query{Instance: "b"}, lines("b", 0, 5))
}

func TestStore_PositionsOutliveTheSegmentsOfTheirLines(t *testing.T) {
	now := base
	cfg := Config{SegmentBytes: 1000, MaxBytesPerApp: 2000, Now: func() time.Time { return now }}
	dir := t.TempDir()
	s := open(t, dir, cfg)
	var many []cluster.LogLine
	for n := range 3 * maxCommit / 2 {
		many = append(many, line(fmt.Sprintf("quiet%03d", n), 0))
	}
	add(t, s, many)
	for n := 0; n < 100; n += 10 {
		add(t, s, lines("a", n, n+10))
	}
	s.tidy(t.Context())
	_ = s.Close()
	s = open(t, dir, cfg)

	if got := []string{storedAt(s, shop, "a"), storedAt(s, shop, "quiet000"), storedAt(s, shop, "quiet149")}; !cmp.Equal(got, []string{"100", "1", "1"}) {
		t.Errorf("positions: got %v, want 100, 1 and 1", got)
	}
	now = now.Add(positionTTL + time.Hour)
	add(t, s, lines("a", 100, 130))
	add(t, s, lines("a", 130, 140))
	if got := storedAt(s, shop, "quiet000"); got != "" {
		t.Errorf("position of an instance that was silent for longer than %v: got %q, want none", positionTTL, got)
	}
}

func TestStore_HalfABatchCountsAsNeverSent(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{})
	add(t, s, lines("a", 0, 10))
	_ = s.Close()
	half := string(appendLine(appendLine(nil, line("a", 10)), line("a", 11)))
	appendFile(t, files(t, s, ".log")[0], half)
	s = open(t, dir, Config{})

	add(t, s, lines("a", 10, 20))

	wantLines(t, s, Query{}, lines("a", 0, 20))
	if got := storedAt(s, shop, "a"); got != "20" {
		t.Errorf("position: got %q, want 20", got)
	}
}

// A segment of before there were commits has lines and no positions.
func TestStore_ReadsSegmentsWithoutCommits(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{})
	if err := os.MkdirAll(s.path(shop), 0o700); err != nil {
		t.Fatal(err)
	}
	var old []byte
	for _, l := range lines("a", 0, 10) {
		old = appendLine(old, l)
	}
	path := filepath.Join(s.path(shop), newSegment(time.Now(), 1).name())
	if err := os.WriteFile(path, append(old, "1234abcd\t17725"...), 0o600); err != nil {
		t.Fatal(err)
	}

	wantLines(t, s, Query{}, lines("a", 0, 10))
	add(t, s, lines("a", 10, 12))
	_ = s.Close()
	appendFile(t, path, string(appendLine(nil, line("a", 12))))

	wantLines(t, open(t, dir, Config{}), Query{}, lines("a", 0, 12))
}

func TestStore_RefusesLinesThatMoveNoPosition(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	for name, p := range map[string]cluster.LogPart{
		"no move":    {Lines: []cluster.LogText{{Text: "x"}}},
		"backwards":  {From: "1"},
		"very long":  {To: strings.Repeat("x", cluster.MaxLogPosition+1)},
		"very long ": {From: strings.Repeat("x", cluster.MaxLogPosition+1), To: "1"},
	} {
		p.App, p.Instance = shop, "a"

		_, err := s.Append(t.Context(), []cluster.LogPart{p})

		if cluster.CodeOf(err) != cluster.CodeInvalid {
			t.Errorf("%s: got %v, want invalid", name, err)
		}
	}
}

func FuzzParseCommit(f *testing.F) {
	f.Add([]byte("#00000000\ta\t1\tb"), "a", "1\t\n\\", int64(7))
	f.Fuzz(func(t *testing.T, stored []byte, instance, at string, moved int64) {
		parseCommit(stored)
		want := positions{cluster.ID(instance): {at: at, moved: moved}}

		got, ok := parseCommit(bytes.TrimSuffix(appendHead(nil, want), []byte("\n")))

		if !ok || !maps.Equal(got, want) {
			t.Errorf("stored and read: got %v, %t, want %v", got, ok, want)
		}
	})
}
