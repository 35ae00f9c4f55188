package logstore

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// envChild makes the test binary a writer that is there to be killed; it
// holds the store's directory.
const envChild = "LOGSTORE_TEST_WRITER"

const childBatch = 50

func TestMain(m *testing.M) {
	if dir := os.Getenv(envChild); dir != "" {
		writeForever(dir)
	}
	goleak.VerifyTestMain(m)
}

var (
	shop = cluster.DeriveID(cluster.NewID(), "app", 1)
	base = time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC)
)

// line is the n-th line of an instance, one millisecond after the one before.
func line(instance string, n int) cluster.LogLine {
	return cluster.LogLine{
		Time: base.Add(time.Duration(n) * time.Millisecond), App: shop, Instance: cluster.ID(instance),
		Type: "web", Release: "v1", Node: "node-1", Stream: "stdout", Text: fmt.Sprintf("%s says %d", instance, n),
	}
}

func lines(instance string, from, to int) []cluster.LogLine {
	var list []cluster.LogLine
	for n := from; n < to; n++ {
		list = append(list, line(instance, n))
	}
	return list
}

func open(tb testing.TB, dir string, cfg Config) *Store {
	tb.Helper()
	s, err := Open(dir, cfg, slog.New(slog.NewTextHandler(tb.Output(), nil)))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return s
}

// parts are lines as their nodes send them, each instance's from the position
// on that is stored, which counts its lines.
func parts(s *Store, list []cluster.LogLine) []cluster.LogPart {
	var out []cluster.LogPart
	moved := map[cluster.ID]string{}
	for i, l := range list {
		from, again := moved[l.Instance]
		if !again {
			from = storedAt(s, l.App, l.Instance)
		}
		n, _ := strconv.Atoi(from)
		moved[l.Instance] = strconv.Itoa(n + 1)
		if i == 0 || list[i-1].App != l.App || list[i-1].Instance != l.Instance {
			out = append(out, cluster.LogPart{Instance: l.Instance, App: l.App, Type: l.Type, Release: l.Release, Node: l.Node, From: from})
		}
		last := &out[len(out)-1]
		last.To, last.Lines = moved[l.Instance], append(last.Lines, cluster.LogText{Time: l.Time, Stream: l.Stream, Text: l.Text})
	}
	return out
}

func storedAt(s *Store, app, instance cluster.ID) (at string) {
	if a, err := s.app(app); err == nil {
		_ = a.withLock(func() error { at = a.positions[instance].at; return nil })
	}
	return at
}

func add(tb testing.TB, s *Store, list []cluster.LogLine) {
	tb.Helper()
	if refused, err := s.Append(tb.Context(), parts(s, list)); err != nil || len(refused) > 0 {
		tb.Fatalf("Append: got %v and %v refused", err, refused)
	}
}

func wantLines(tb testing.TB, s *Store, q Query, want []cluster.LogLine) {
	tb.Helper()
	got, err := s.Query(tb.Context(), shop, q)
	if err != nil {
		tb.Fatalf("Query: %v", err)
	}
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Errorf("lines (-want +got):\n%s", diff)
	}
}

func files(tb testing.TB, s *Store, suffix string) []string {
	tb.Helper()
	list, err := filepath.Glob(filepath.Join(s.path(shop), "*"+suffix))
	if err != nil {
		tb.Fatal(err)
	}
	return list
}

func TestStore_KeepsEveryByteOfALine(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{})
	var want []cluster.LogLine
	for i, text := range []string{"", "plain", "tab\there", "two\nlines", `back\slash \n \t`, "ünï→", "\x00\x1b[0m", strings.Repeat("\\", maxText)} {
		l := line("a", i)
		l.Text, l.Stream = text, "std\terr"
		want = append(want, l)
	}

	add(t, s, want)

	wantLines(t, s, Query{}, want)
	_ = s.Close()
	wantLines(t, open(t, dir, Config{}), Query{}, want)
}

func TestStore_ClipsAndMendsText(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	long, broken := line("a", 0), line("a", 1)
	long.Text, broken.Text = strings.Repeat("x", maxText+1), "a\xffb"

	add(t, s, []cluster.LogLine{long, broken})

	long.Text, broken.Text = strings.Repeat("x", maxText)+"…", "a�b"
	wantLines(t, s, Query{}, []cluster.LogLine{long, broken})
}

func TestStore_Filters(t *testing.T) {
	s := open(t, t.TempDir(), Config{SegmentBytes: 1000})
	all := lines("a", 0, 40)
	for i := range all {
		if i%2 == 1 {
			all[i].Type, all[i].Instance = "worker", "b"
		}
	}
	all[7].Text = "Disk\tFULL"
	for i := 0; i < 40; i += 5 {
		add(t, s, all[i:i+5])
	}
	s.tidy(t.Context())
	cases := map[string]struct {
		q    Query
		want []cluster.LogLine
	}{
		"all":           {Query{}, all},
		"newest":        {Query{Limit: 3}, all[37:]},
		"type":          {Query{Type: "worker", Limit: 2}, []cluster.LogLine{all[37], all[39]}},
		"instance":      {Query{Instance: "b", Limit: 1}, all[39:]},
		"since":         {Query{Since: all[38].Time}, all[38:]},
		"until":         {Query{Until: all[2].Time}, all[:2]},
		"between":       {Query{Since: all[10].Time, Until: all[13].Time, Limit: 2}, all[11:13]},
		"search":        {Query{Search: "Disk\tFULL"}, all[7:8]},
		"case":          {Query{Search: "disk\tfull"}, nil},
		"case ignored":  {Query{Search: "disk\tfull", IgnoreCase: true}, all[7:8]},
		"no such type":  {Query{Type: "clock"}, nil},
		"empty in time": {Query{Since: all[5].Time, Until: all[5].Time}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { wantLines(t, s, c.q, c.want) })
	}
}

func TestStore_FindsAnInstanceByItsLines(t *testing.T) {
	s := open(t, t.TempDir(), Config{SegmentBytes: 1000})
	first, second := cluster.NewID(), cluster.NewID()
	all := append(lines(string(first), 0, 20), lines(string(second), 20, 40)...)
	for i := 0; i < len(all); i += 5 {
		add(t, s, all[i:i+5])
	}
	s.tidy(t.Context())

	for name, want := range map[string]cluster.ID{
		first.Short(): first, "web." + first.Short(): first, string(first): first, "web." + second.Short(): second, "worker." + second.Short(): "", "web": "", "": "",
	} {
		if got, err := s.InstanceCalled(t.Context(), shop, name); got != want || err != nil {
			t.Errorf("%q: got %q, %v, want %q", name, got, err, want)
		}
	}
	if got, err := s.InstanceCalled(t.Context(), cluster.DeriveID(shop, "app", 2), "web."+first.Short()); got != "" || err != nil {
		t.Errorf("in another app's log: got %q, %v, want none", got, err)
	}
}

func TestStore_SortsLinesThatComeLate(t *testing.T) {
	s := open(t, t.TempDir(), Config{SegmentBytes: 500})
	add(t, s, lines("a", 100, 120))
	add(t, s, lines("b", 0, 10)) // its node was cut off
	add(t, s, lines("a", 120, 140))
	s.tidy(t.Context())

	wantLines(t, s, Query{Limit: 45}, append(lines("b", 5, 10), lines("a", 100, 140)...))
	wantLines(t, s, Query{Limit: 25}, lines("a", 115, 140))
}

func TestStore_RefusesWhatIsNoAppId(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{})
	for _, id := range []cluster.ID{"", "..", "../x", "a/b", "a\x00"} {
		l := line("a", 0)
		l.App = id

		_, err := s.Append(t.Context(), parts(s, []cluster.LogLine{line("a", 1), l}))
		_, qerr := s.Query(t.Context(), id, Query{})
		_, ferr := s.Follow(t.Context(), id, Query{}, 0)
		gerr := s.Forget(t.Context(), id)

		for _, err := range []error{err, qerr, ferr, gerr} {
			if cluster.CodeOf(err) != cluster.CodeInvalid {
				t.Errorf("app %q: got %v, want invalid", id, err)
			}
		}
	}
	wantLines(t, s, Query{}, nil)
}

func TestStore_ForgetLeavesNothing(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	add(t, s, lines("a", 0, 10))
	live, err := s.Follow(t.Context(), shop, Query{}, 0)
	if err != nil {
		t.Fatal(err)
	}

	err = s.Forget(t.Context(), shop)

	if _, serr := os.Stat(s.path(shop)); err != nil || !os.IsNotExist(serr) {
		t.Errorf("Forget: got %v and directory %v, want neither", err, serr)
	}
	wantEnd(t, live)
	wantLines(t, s, Query{}, nil)
	add(t, s, lines("a", 10, 12))
	wantLines(t, s, Query{}, lines("a", 10, 12))
}

func TestStore_ClosedStoreSaysSo(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	add(t, s, lines("a", 0, 1))
	_ = s.Close()

	_, err := s.Append(t.Context(), parts(s, lines("a", 1, 2)))

	if cluster.CodeOf(err) != cluster.CodeUnavailable {
		t.Errorf("Append: got %v, want unavailable", err)
	}
}

func TestStore_FullDiskIsNamedAndHeals(t *testing.T) {
	dir := testkit.ShortDir(t)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("needs to mount a small tmpfs, as root: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	s := open(t, dir, Config{})
	add(t, s, lines("a", 0, 10))
	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)
	big := lines("a", 10, 400)

	_, err := s.Append(t.Context(), parts(s, big))

	if cluster.CodeOf(err) != cluster.CodeUnavailable || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "bytes are free") {
		t.Fatalf("Append on a full disk: got %v, want unavailable naming %s", err, dir)
	}
	wantLines(t, s, Query{}, lines("a", 0, 10))
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	add(t, s, big)
	wantLines(t, s, Query{}, lines("a", 0, 400))
}

// fill leaves no space on the disk that path is on.
func fill(tb testing.TB, path string) {
	tb.Helper()
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
}

func TestStore_SurvivesKill(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	for range 3 {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), envChild+"="+dir, "LOGSTORE_TEST_APP="+string(shop), "LOGSTORE_TEST_FROM="+strconv.Itoa(sent))
		out, in, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = in
		gone := testkit.StartChild(t, cmd)
		_ = in.Close()
		// What was accepted is what the child said, up to its end.
		said := bufio.NewScanner(out)
		for n := 0; said.Scan(); n++ {
			if sent, err = strconv.Atoi(said.Text()); err != nil {
				t.Fatalf("child said %q", said.Text())
			}
			if n == 40 {
				_ = cmd.Process.Kill()
			}
		}
		<-gone
		_ = out.Close()

		s := open(t, dir, Config{SegmentBytes: 100_000})
		got, err := s.Query(t.Context(), shop, Query{})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) < sent {
			t.Fatalf("after kill -9: got %d lines, want the %d that were accepted", len(got), sent)
		}
		if diff := cmp.Diff(texts(lines("child", 0, len(got))), texts(got)); diff != "" {
			t.Fatalf("after kill -9 (-want +got):\n%s", diff)
		}
		_ = s.Close()
	}
}

func texts(list []cluster.LogLine) []string {
	var out []string
	for _, l := range list {
		out = append(out, l.Text)
	}
	return out
}

// writeForever sends batches as a node does, each from the position that it
// knows, and prints how many lines were accepted. The answer to the last batch
// before a kill may be lost: that batch is sent again and refused, and what
// follows goes on from the position of the refusal.
func writeForever(dir string) {
	n, _ := strconv.Atoi(os.Getenv("LOGSTORE_TEST_FROM"))
	app := cluster.ID(os.Getenv("LOGSTORE_TEST_APP"))
	s, err := Open(dir, Config{SegmentBytes: 100_000}, slog.Default())
	for err == nil {
		var refused []cluster.LogPosition
		refused, err = s.Append(context.Background(), []cluster.LogPart{childPart(app, n)})
		switch {
		case err != nil:
		case len(refused) > 0:
			n, err = strconv.Atoi(refused[0].At)
		default:
			n += childBatch
			fmt.Println(n)
		}
		s.tidy(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// childPart is the batch of the child's lines from the n-th on.
func childPart(app cluster.ID, n int) cluster.LogPart {
	part := cluster.LogPart{Instance: "child", App: app, Type: "web", Release: "v1", Node: "node-1", To: strconv.Itoa(n + childBatch)}
	if n > 0 {
		part.From = strconv.Itoa(n)
	}
	for _, l := range lines("child", n, n+childBatch) {
		part.Lines = append(part.Lines, cluster.LogText{Time: l.Time, Stream: l.Stream, Text: l.Text})
	}
	return part
}

func TestStore_ManyWritersAndReaders(t *testing.T) {
	s := open(t, t.TempDir(), Config{SegmentBytes: 20_000, Now: time.Now})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	const writers, batchCount, size = 4, 20, 25
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for b := range batchCount {
				if _, err := s.Append(ctx, parts(s, lines(fmt.Sprint("w", w), b*size, (b+1)*size))); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
		all.Go(func() {
			for range 5 {
				if _, err := s.Query(ctx, shop, Query{Search: "says 1"}); err != nil {
					t.Errorf("Query: %v", err)
				}
			}
		})
	}

	all.Wait()
	stop()

	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	for w := range writers {
		wantLines(t, s, Query{Instance: cluster.ID(fmt.Sprint("w", w))}, lines(fmt.Sprint("w", w), 0, batchCount*size))
	}
}

// appendLine appends the stored form of l.
func appendLine(buf []byte, l cluster.LogLine) []byte {
	return originOf(l.Instance, l.Type, l.Release, l.Node).append(buf, l.Time.UnixNano(), l.Stream, l.Text)
}
