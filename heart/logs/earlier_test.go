package logs

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aorta/internal/testkit"
)

// The version before wrote this for an instance that had printed on both streams.
const earlierFile = `{"stderr":{"time":%q,"count":%d},"stdout":{"time":%q,"count":%d}}`

func leaveEarlier(t *testing.T, w Target, text string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "logs")
	testkit.Must(t, os.Mkdir(dir, 0o700))
	testkit.Must(t, os.WriteFile(filepath.Join(dir, string(w.ID)+".json"), []byte(text), 0o600))
	return dir
}

func stamp(at time.Time) string { return at.Format(time.RFC3339Nano) }

// record writes what a process printed, at a time of the test's choice.
func (e *engine) record(stream, text string, at time.Time) {
	e.tb.Helper()
	e.raw(fmt.Sprintf(`{"log":%q,"stream":%q,"time":%q}`+"\n", text, stream, stamp(at)))
}

func TestShipper_GoesOnWhereTheVersionBeforeEnded(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC)
	at := func(n int) time.Time { return first.Add(time.Duration(n) * time.Microsecond) }
	e, w := newEngine(t, 300, 10), target()
	for n := range 10 { // over some rotations
		e.record([]string{"stdout", "stderr"}[n%2], numbered(n)+"\n", at(n))
	}
	e.record("stderr", "begun, ", at(10)) // not shipped: its line has not ended
	e.record("stdout", "same time 1\n", at(11))
	e.record("stdout", "same time 2\n", at(11))
	shipped := fmt.Sprintf(earlierFile, stamp(at(9)), 1, stamp(at(11)), 2)
	e.record("stdout", "same time 3\n", at(11))
	e.record("stderr", "ended\n", at(10))
	e.record("stderr", "an earlier time than its neighbour\n", at(11))
	dir := leaveEarlier(t, w, shipped)
	s := newStore()
	from := func(o *Options) { o.Files, o.Earlier = 10, dir }

	h := startHeart(t, s, from)
	h.AddSystemLine(w, "restarting") // a position without a file
	testkit.Eventually(t, "the platform's line", func() bool { return len(s.system(w.ID)) == 1 })
	h.kill()
	h = startHeart(t, s, from)
	h.Follow(w, e.path)

	want := []string{"same time 3", "begun, ended", "an earlier time than its neighbour"}
	wantShipped(t, s, w.ID, want)
	testkit.Eventually(t, "the old file and its directory to be gone", func() bool { _, err := os.Stat(dir); return os.IsNotExist(err) })
	h.kill()
	e.record("stdout", "after the upgrade\n", at(12))
	h = startHeart(t, s, from)
	h.Follow(w, e.path)
	wantShipped(t, s, w.ID, append(want, "after the upgrade"))
}

// A kill between the first part and the removal of the old file leaves it there:
// what the store says is newer.
func TestShipper_ThePositionInTheStoreIsNewerThanThatOfTheVersionBefore(t *testing.T) {
	t.Parallel()
	e, s, w := newEngine(t, 1_000_000, 3), newStore(), target()
	e.print(4)
	old := fmt.Sprintf(earlierFile, stamp(e.now), 1, stamp(e.now), 1)
	h := startHeart(t, s)
	h.Follow(w, e.path)
	wantShipped(t, s, w.ID, allNumbered(0, 4))
	h.kill()
	e.print(2)
	dir := leaveEarlier(t, w, old)

	h = startHeart(t, s, func(o *Options) { o.Earlier = dir })
	h.Follow(w, e.path)

	wantShipped(t, s, w.ID, allNumbered(0, 6))
	testkit.Eventually(t, "the old file to be gone", func() bool { _, err := os.Stat(dir); return os.IsNotExist(err) })
}

func TestShipper_ShipsAllWhenTheFileOfTheVersionBeforeSaysNothing(t *testing.T) {
	t.Parallel()
	long := stamp(time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC))
	for name, text := range map[string]string{"torn": `{"stdout":{"ti`, "older than all that is kept": fmt.Sprintf(earlierFile, long, 1, long, 1)} {
		t.Run(name, func(t *testing.T) {
			e, s, w := newEngine(t, 1_000_000, 3), newStore(), target()
			e.print(4)
			dir := leaveEarlier(t, w, text)

			h := startHeart(t, s, func(o *Options) { o.Earlier = dir })
			h.Follow(w, e.path)

			wantShipped(t, s, w.ID, allNumbered(0, 4))
			testkit.Eventually(t, "the old file to be gone", func() bool { _, err := os.Stat(dir); return os.IsNotExist(err) })
		})
	}
}
