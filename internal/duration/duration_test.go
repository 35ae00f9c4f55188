package duration_test

import (
	"testing"
	"time"

	"aorta/internal/duration"
)

func TestText(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 10 * time.Second: "10s", 90 * time.Second: "1m30s", 10 * time.Minute: "10m", time.Hour: "1h",
		90 * time.Minute: "1h30m", time.Hour + 10*time.Second: "1h0m10s", 1500 * time.Millisecond: "1.5s", -time.Minute: "-1m",
	} {
		if got := duration.Text(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
		if back, err := time.ParseDuration(duration.Text(d)); err != nil || back != d {
			t.Errorf("%v: %q reads as %v (%v), want it there and back", d, duration.Text(d), back, err)
		}
	}
}
