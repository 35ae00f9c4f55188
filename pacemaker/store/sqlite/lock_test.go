package sqlite

import (
	"testing"

	"aorta/internal/testkit"
)

// A child that a fork has just made has the lock's file open, too, until its own program
// starts: who closes the database leaves it to the next one all the same.
func TestLock_EndsAtOnceThoughAChildHasItsFile(t *testing.T) {
	d := New(testkit.ShortDir(t))
	lock, err := d.Lock()
	testkit.Must(t, err)
	testkit.Inherit(t, d.path+".lock")

	testkit.Must(t, lock.Close())

	again, err := d.Lock()
	if err != nil {
		t.Fatalf("got %v, want the lock", err)
	}
	testkit.Must(t, again.Close())
}
