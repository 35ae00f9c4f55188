package logstore

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
)

func TestStore_CompressesFullSegments(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{SegmentBytes: 2000})
	for n := 0; n < 200; n += 10 {
		add(t, s, lines("a", n, n+10))
	}

	s.tidy(t.Context())

	if plain, closed := files(t, s, ".log"), files(t, s, ".zst"); len(plain) != 1 || len(closed) < 3 {
		t.Errorf("files: got %d plain and %d closed, want 1 and several", len(plain), len(closed))
	}
	wantLines(t, s, Query{}, lines("a", 0, 200))
	_ = s.Close()
	wantLines(t, open(t, dir, Config{}), Query{}, lines("a", 0, 200))
}

func TestStore_KeepsTwinsOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{SegmentBytes: 2000})
	add(t, s, lines("a", 0, 50))
	add(t, s, lines("a", 50, 60))
	plain := files(t, s, ".log")[0]
	content, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	s.tidy(t.Context())
	_ = s.Close()
	// A kill between the two steps of compressing, and one before them.
	if err := os.WriteFile(plain, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(plain+tmpSuffix, content[:100], 0o600); err != nil {
		t.Fatal(err)
	}

	s = open(t, dir, Config{})

	wantLines(t, s, Query{}, lines("a", 0, 60))
	if _, err := os.Stat(plain); !os.IsNotExist(err) {
		t.Errorf("plain twin: got %v, want it removed", err)
	}
	if left := files(t, s, tmpSuffix); len(left) != 0 {
		t.Errorf("half-written files: got %v, want none", left)
	}
}

func TestStore_CutsATornEnd(t *testing.T) {
	torn := map[string]string{
		"half a line":     "1234abcd\t17725",
		"zeros":           strings.Repeat("\x00", 3000),
		"zeros and lines": strings.Repeat("\x00", 30) + "\n" + strings.Repeat("\x00", 30) + "\n",
		"endless":         strings.Repeat("x", maxStored*2),
	}
	for name, tail := range torn {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, Config{})
			add(t, s, lines("a", 0, 10))
			_ = s.Close()
			appendFile(t, files(t, s, ".log")[0], tail)

			s = open(t, dir, Config{})
			add(t, s, lines("a", 10, 12))

			wantLines(t, s, Query{}, lines("a", 0, 12))
			_ = s.Close()
			wantLines(t, open(t, dir, Config{}), Query{}, lines("a", 0, 12))
		})
	}
}

func TestStore_PassesOverABrokenLine(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{})
	add(t, s, lines("a", 0, 10))
	_ = s.Close()
	path := files(t, s, ".log")[0]
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.Replace(string(content), "a says 4", "a says 5", 1)
	if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}

	wantLines(t, open(t, dir, Config{}), Query{}, append(lines("a", 0, 4), lines("a", 5, 10)...))
}

func TestStore_OneBrokenSegmentHidesNoOther(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{SegmentBytes: 1000})
	for n := 0; n < 60; n += 20 {
		add(t, s, lines("a", n, n+20))
	}
	s.tidy(t.Context())
	if err := os.WriteFile(files(t, s, ".zst")[0], []byte("not zstd"), 0o600); err != nil {
		t.Fatal(err)
	}

	wantLines(t, s, Query{}, lines("a", 20, 60))
}

func TestStore_ThrowsAwayTheOldestBySize(t *testing.T) {
	const limit = 3000
	s := open(t, t.TempDir(), Config{SegmentBytes: 1000, MaxBytesPerApp: limit})
	for n := 0; n < 400; n += 20 {
		add(t, s, lines("a", n, n+20))
	}

	s.tidy(t.Context())
	s.tidy(t.Context())

	got, err := s.Query(t.Context(), shop, Query{})
	if err != nil || len(got) == 0 || len(got) > 300 || got[len(got)-1] != line("a", 399) {
		t.Fatalf("lines: got %d, %v, want the newest part up to the last", len(got), err)
	}
	var total int64
	for _, f := range files(t, s, "") {
		if info, err := os.Stat(f); err == nil {
			total += info.Size()
		}
	}
	if total > limit {
		t.Errorf("bytes on disk: got %d, want at most %d", total, limit)
	}
}

func TestStore_ThrowsAwayByAgeAndNumbersGoOn(t *testing.T) {
	now := base
	cfg := Config{MaxAge: 48 * time.Hour, Now: func() time.Time { return now }}
	dir := t.TempDir()
	s := open(t, dir, cfg)
	add(t, s, lines("a", 0, 10))

	now = base.Add(24 * time.Hour)
	s.tidy(t.Context())
	wantLines(t, s, Query{}, lines("a", 0, 10))
	now = base.Add(5 * 24 * time.Hour)
	s.tidy(t.Context())

	wantLines(t, s, Query{}, nil)
	_ = s.Close()
	s = open(t, dir, cfg)
	add(t, s, lines("a", 10, 11))
	if e := next(t, follow(t, s, Query{Limit: 1}, 0))[0]; e.Cursor != 11 {
		t.Errorf("cursor after everything was thrown away: got %d, want 11", e.Cursor)
	}
}

func TestStore_DaysHaveTheirOwnSegments(t *testing.T) {
	now := base
	s := open(t, t.TempDir(), Config{Now: func() time.Time { return now }})
	for d := range 3 {
		now = base.AddDate(0, 0, d)
		add(t, s, lines("a", d*10, d*10+10))
	}

	got := files(t, s, ".log")

	for i, day := range []string{"20260304", "20260305", "20260306"} {
		if len(got) != 3 || !strings.HasPrefix(filepath.Base(got[i]), day) {
			t.Fatalf("segments: got %v, want one for each of three days", got)
		}
	}
}

func TestStore_ClosesIdleFiles(t *testing.T) {
	now := base
	s := open(t, t.TempDir(), Config{Now: func() time.Time { return now }})
	add(t, s, lines("a", 0, 10))

	now = now.Add(time.Hour)
	s.tidy(t.Context())

	a, err := s.app(shop)
	if err != nil {
		t.Fatal(err)
	}
	if a.file != nil {
		t.Errorf("idle app: got file %v, want none", a.file)
	}
	add(t, s, lines("a", 10, 20))
	wantLines(t, s, Query{}, lines("a", 0, 20))
}

func TestStore_RunSyncsWhatWasAppended(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	add(t, s, lines("a", 0, 10))
	a, err := s.app(shop)
	if err != nil {
		t.Fatal(err)
	}
	stop := start(t, s)

	testkit.Eventually(t, "the file to be synced", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return !a.unsynced
	})

	stop()
}

func appendFile(tb testing.TB, path, content string) {
	tb.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteString(content); err != nil {
		tb.Fatal(err)
	}
}

func TestSegment_NamesReadBack(t *testing.T) {
	plain := newSegment(base, 77)
	closed := segment{day: "20260304", first: 1 << 40, tally: tally{count: 5, minT: -3, maxT: 99}, closed: true}
	for _, want := range []segment{plain, closed} {
		got, ok := parseSegment(want.name())

		if !ok || got != want {
			t.Errorf("%s: got %+v, %t, want %+v", want.name(), got, ok, want)
		}
	}
	for _, name := range []string{"", "x.log", "20260304-1.log", "20260304-0000000000000001-99999999999999999999-1-1.zst", "../20260304-0000000000000001.log"} {
		if s, ok := parseSegment(name); ok {
			t.Errorf("%q: got %+v, want it refused", name, s)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add(appendLine(nil, line("a", 1)), "text")
	f.Add([]byte("00000000\t1\t\t\t\t\t\t"), "tab\t\\n\nend\\")
	f.Fuzz(func(t *testing.T, stored []byte, text string) {
		if r, ok := parseLine(stored); ok {
			_ = r.line(shop)
		}
		want := line("a", 1)
		want.Text, want.Node = text, text

		r, ok := parseLine([]byte(strings.TrimSuffix(string(appendLine(nil, want)), "\n")))

		want.Text = clipText(text)
		if got := r.line(shop); !ok || got != want {
			t.Errorf("stored and read: got %+v, %t, want %+v", got, ok, want)
		}
	})
}
