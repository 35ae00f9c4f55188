package testkit

import (
	"testing"
	"testing/synctest"
	"time"
)

// What costs is looked at less often than what costs nothing.
func TestEventually_LooksLessOftenAtWhatTakesLong(t *testing.T) {
	for name, tt := range map[string]struct {
		look  time.Duration
		looks int
	}{"quick": {0, 201}, "slow": {50 * time.Millisecond, 6}} {
		synctest.Test(t, func(t *testing.T) {
			begun, looks := time.Now(), 0

			Eventually(t, "a second to pass", func() bool {
				looks++
				<-time.After(tt.look)
				return time.Since(begun) >= time.Second
			})

			if looks != tt.looks {
				t.Errorf("%s: got %d looks in a second, want %d", name, looks, tt.looks)
			}
		})
	}
}
