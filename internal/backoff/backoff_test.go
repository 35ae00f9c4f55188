package backoff

import (
	"context"
	"testing"
	"time"
)

func TestBackoff_GrowsToItsLimitAndBeginsAnew(t *testing.T) {
	b := New(100*time.Millisecond, time.Second)

	for range 2 {
		for i, want := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
			want *= time.Millisecond
			if got := b.Next(); got < want*8/10 || got > want*12/10 {
				t.Errorf("pause %d: got %s, want %s ± 20 %%", i, got, want)
			}
		}
		b.Reset()
	}
}

func TestAfter_StaysAtItsLimitForEver(t *testing.T) {
	for _, failures := range []int{17, 63, 64, 1 << 30} {
		if got := After(failures, time.Millisecond, time.Minute); got < 48*time.Second || got > 72*time.Second {
			t.Errorf("after %d failures: got %s, want 1 min ± 20 %%", failures, got)
		}
	}
}

func TestBackoff_PauseEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	if New(time.Hour, time.Hour).Pause(ctx) {
		t.Error("got a whole pause, want it cut short")
	}
	if !New(time.Nanosecond, time.Nanosecond).Pause(t.Context()) {
		t.Error("got a pause that was cut short, want a whole one")
	}
}
