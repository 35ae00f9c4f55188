package rest

import (
	"regexp"
	"testing"
)

var printable = regexp.MustCompile(`^[ -~]{0,255}$`)

// What a client sends as a key or a cursor is refused, or is what it looks like.
func FuzzKeysAndCursors(f *testing.F) {
	for _, s := range []string{"", "k1", "0198a0b0-1111-7000-8000-000000000001", "a\x00b", "\u00e9", "../x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if validKey(text) == nil && !printable.MatchString(text) {
			t.Errorf("let the key %q in", text)
		}
		if err := (Paged{Cursor: text}).Check(CheckID); err == nil && text != "" && len(text) != 36 {
			t.Errorf("let the cursor %q in", text)
		}
	})
}
