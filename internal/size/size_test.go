package size_test

import (
	"testing"

	"aorta/internal/size"
)

func TestParse_ReadsWhatOtherPlatformsTake(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"256m": 256 << 20, "256M": 256 << 20, "256mb": 256 << 20, "256MB": 256 << 20, "256Mi": 256 << 20, "256MiB": 256 << 20, "256 MB": 256 << 20,
		"1g": 1 << 30, "1Gi": 1 << 30, "1.5g": 3 << 29, "0.25g": 256 << 20, ".5g": 512 << 20, "512K": 512 << 10, "1t": 1 << 40,
		"1048576": 1 << 20, "10b": 10, "10 B": 10, "0": 0, "9007199254740993": 9007199254740993,
	} {
		if got, ok := size.Parse(text); !ok || got != want {
			t.Errorf("%q: got %d, %t, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "m", ".", "1.", "-1m", "+1m", "1e3", "0x10", "1_000", "256i", "10ib", "lots", "256 megs", "1gg", "2000000t", "99999999999999999999", "1,5g", " 1m", "1m ", "1  m", "nan", "inf"} {
		if got, ok := size.Parse(text); ok {
			t.Errorf("%q: got %d, want it refused", text, got)
		}
	}
}

func TestCores_ReadsThousandthsToo(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"2": 2, "0.5": 0.5, ".5": 0.5, "500m": 0.5, "1500m": 1.5, "0": 0} {
		if got, ok := size.Cores(text); !ok || got != want {
			t.Errorf("%q: got %v, %t, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "m", "-1", "1/2", "nan", "inf", "1e3", "50%", "2x", "0,5"} {
		if got, ok := size.Cores(text); ok {
			t.Errorf("%q: got %v, want it refused", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"256m", "1.5GiB", "9007199254740993", "1t", ".5 mb"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, ok := size.Parse(text); ok && (n < 0 || n > 1<<60) {
			t.Errorf("%q: got %d, want 0 … 2^60", text, n)
		}
		if n, ok := size.Cores(text); ok && !(n >= 0 && n < 1e9+1) {
			t.Errorf("%q: got %v cores", text, n)
		}
	})
}
