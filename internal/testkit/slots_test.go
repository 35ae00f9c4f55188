package testkit

import (
	"sync"
	"testing"
)

// As many tests work at a time as there are slots, and a test waits for none that has one,
// or whose parent has.
func TestSlots_AreTakenByAsManyTestsAsThereAre(t *testing.T) {
	s := newSlots(2, nil)
	var mu sync.Mutex
	working, most := 0, 0
	t.Run("all", func(t *testing.T) {
		for _, name := range []string{"a", "b", "c", "d"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s.Take(t)
				mu.Lock()
				working, most = working+1, max(most, working+1)
				mu.Unlock()
				t.Cleanup(func() { mu.Lock(); working--; mu.Unlock() })
				t.Run("within", func(t *testing.T) { s.Take(t) })
				s.Take(t)
			})
		}
	})

	if most > 2 || working != 0 || s.line.room != 2 {
		t.Errorf("got %d at a time, %d still there and %d slots free; want 2, 0 and 2", most, working, s.line.room)
	}
}
