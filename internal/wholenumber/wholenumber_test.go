package wholenumber

import "testing"

func TestParse_TakesDecimalDigitsOnly(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "8": 8, "-1": -1, "9223372036854775807": 1<<63 - 1} {
		if got, ok := Parse(text); !ok || got != want {
			t.Errorf("%q: got %d, %v; want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "1.0", "1.5", "010", "0x2", "0o7", "0b1", "1_000", "+1", "1e3", " 1", ".inf", "9223372036854775808"} {
		if got, ok := Parse(text); ok {
			t.Errorf("%q: got %d, want it refused", text, got)
		}
	}
}
