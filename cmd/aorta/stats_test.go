package main

import "testing"

func TestMillis_UsesTheUnitOfTheLength(t *testing.T) {
	for ms, want := range map[float64]string{
		0: "0.0 ms", 0.42: "0.4 ms", 9.94: "9.9 ms", 9.96: "10 ms", 40.25: "40 ms", 999.4: "999 ms", 999.6: "1.0 s",
		12_340: "12.3 s", 59_940: "59.9 s", 59_960: "1 min 0 s", 61_120: "1 min 1 s", 3_600_000: "60 min 0 s",
	} {
		if got := millis(&ms); got != want {
			t.Errorf("%v ms: got %q, want %q", ms, got, want)
		}
	}
	if got := millis(nil); got != "-" {
		t.Errorf("nothing measured: got %q, want -", got)
	}
}

func TestVolume_CountsByTheThousand(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 5_432: "5.4 kB", 123_456: "123 kB", 7_000_000: "7.0 MB", 8_100_000_000_000: "8.1 TB"} {
		if got := volume(n); got != want {
			t.Errorf("%d bytes: got %q, want %q", n, got, want)
		}
	}
}
