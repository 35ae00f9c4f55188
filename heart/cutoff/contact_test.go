package cutoff

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
)

func TestContact_LeavesTimeToStopAndToKill(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ after, stop, kill time.Duration }{
		{15 * time.Second, 10 * time.Second, 14 * time.Second},
		{6 * time.Second, 4 * time.Second, 5600 * time.Millisecond},
		{time.Hour, time.Hour - 5*time.Second, time.Hour - time.Second},
		{0, 0, 0},
	} {
		at := Contact{Sent: time.Minute, After: c.after}
		if got, kill := at.StopAt()-time.Minute, at.KillAt()-time.Minute; got != c.stop || kill != c.kill {
			t.Errorf("%s: got %s and %s, want %s and %s", c.after, got, kill, c.stop, c.kill)
		}
	}
}

// A contact counts in the boot that it was made in; one that is not whole is none.
func TestContact_OfAnotherBootOrTornIsNone(t *testing.T) {
	t.Parallel()
	want := Contact{Sent: 123456789, After: 15 * time.Second}
	data := want.encode("this")

	got, err := decode(data, "this")
	other, otherErr := decode(data, "another")

	if got != want || err != nil || len(data) != contactSize {
		t.Errorf("got %v, %v of %d bytes, want %v", got, err, len(data), want)
	}
	if other != (Contact{}) || otherErr != nil {
		t.Errorf("another boot: got %v, %v, want none", other, otherErr)
	}
	later := string(Contact{Sent: 999999999, After: 15 * time.Second}.encode("this"))
	for i := 1; i < contactSize-1; i++ {
		torn := later[:i] + string(data[i:])
		if got, err := decode([]byte(torn), "this"); err == nil && got != want && torn != later {
			t.Fatalf("torn after %d bytes: got %v", i, got)
		}
	}
}

// What the heart writes is read again by the next one and by the watchdog, and nothing is
// written while nothing is held.
func TestGuard_KeepsTheContactAndWhatIsHeld(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cutoff")
	g, err := Open(dir)
	testkit.Must(t, err)
	first := Contact{Sent: Now(), After: time.Hour}
	cutOffAtFirst := g.CutOff()

	testkit.Must(t, g.Reached(first))
	if _, err := os.Stat(dir); err == nil || !cutOffAtFirst || g.CutOff() {
		t.Errorf("got %v for the directory of a guard that holds nothing, cut off %t at first and %t then", err, cutOffAtFirst, g.CutOff())
	}
	id := strings.Repeat("0a", 32)
	testkit.Must(t, g.Hold("i1", id))
	testkit.Must(t, g.Hold("i2", id))
	testkit.Must(t, g.Release("i2"))
	second := Contact{Sent: first.Sent + time.Second, After: time.Hour}
	testkit.Must(t, g.Reached(second))
	again, err := Open(dir)
	testkit.Must(t, err)
	read := again.Contact()
	third := Contact{Sent: second.Sent + time.Second, After: time.Hour}
	testkit.Must(t, again.Reached(third))
	onDisk, err := readContact(dir, again.boot)
	testkit.Must(t, err)
	list, err := held(dir)
	testkit.Must(t, err)

	if read != second || onDisk != third || again.CutOff() {
		t.Errorf("got %v, and %v on the disk after a contact of the next heart; want %v and %v", read, onDisk, second, third)
	}
	if len(list) != 1 || list["i1"] != id {
		t.Errorf("got %v held, want i1", list)
	}
}

// A lapse counts whoever looked: also where the report was sent in time, and its answer is
// read late, as by a process that stood still.
func TestGuard_CountsLapsesThatNobodySaw(t *testing.T) {
	t.Parallel()
	g, err := Open(filepath.Join(t.TempDir(), "cutoff"))
	testkit.Must(t, err)
	reached := func(c Contact, want uint64) {
		t.Helper()
		testkit.Must(t, g.Reached(c))
		if got := g.Lapses(); got != want {
			t.Errorf("got %d lapses, want %d", got, want)
		}
	}
	over := Contact{Sent: Now() - 2*time.Hour, After: time.Hour}
	lasts := Contact{Sent: Now(), After: time.Hour}

	unbroken := g.Unbroken(0)
	reached(lasts, 1) // after none
	reached(lasts, 1)
	reached(over, 1)
	unbroken = unbroken || g.Unbroken(1)
	reached(lasts, 2)

	if unbroken || g.Unbroken(1) || !g.Unbroken(2) {
		t.Errorf("got %t, %t, %t, want contact since the second lapse alone", unbroken, g.Unbroken(1), g.Unbroken(2))
	}
}
