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

func TestParse_ReadsWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "1h30m": 90 * time.Minute, "7d": 7 * day, "1d12h": 36 * time.Hour, "2w": 14 * day, "0.5d": 12 * time.Hour, "1.5h": 90 * time.Minute,
		"30sec": 30 * time.Second, "30 sec": 30 * time.Second, "10min": 10 * time.Minute, "2 hours": 2 * time.Hour, "1 day": day, "1 hour 30 minutes": 90 * time.Minute,
		"250ms": 250 * time.Millisecond, "10M": 10 * time.Minute, "-1h": -time.Hour, "0": 0,
	} {
		if got, err := duration.Parse(text); err != nil || got != want {
			t.Errorf("%q: got %v (%v), want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "90", "soon", "1 fortnight", "d", "1h30", "99999999w", "1,5h", "1  h", " 1d"} {
		if got, err := duration.Parse(text); err == nil {
			t.Errorf("%q: got %v, want it refused", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"90s", "1d12h", "2 hours", "999999999w", "1.5w 3 min"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := duration.Parse(text); err == nil && d < 0 && text[0] != '-' {
			t.Errorf("%q: got %v, want none below 0", text, d)
		}
	})
}
