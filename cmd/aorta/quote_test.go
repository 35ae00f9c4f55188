package main

import (
	"strings"
	"testing"

	"aorta/internal/dotenv"
)

func TestQuoteVar_IsReadBack(t *testing.T) {
	for _, v := range []string{"", "plain", "two words", "a#b", `"q" 'q' \ $x`, "line\nline\r\ttab", " edge "} {
		got, err := dotenv.Parse("K=" + quoteVar(v))

		if err != nil || got["K"] != v {
			t.Errorf("%q as %s: got %q, %v, want it back", v, quoteVar(v), got["K"], err)
		}
	}
}

func FuzzParseDotenv(f *testing.F) {
	f.Add("A=1\nexport B=\"x\\n\" # c\nC='a\nb'\n#\n")
	f.Fuzz(func(t *testing.T, in string) {
		vars, err := dotenv.Parse(in)
		if err != nil {
			return
		}
		for k, v := range vars {
			if k == "" || strings.ContainsAny(k, " \t\n=") {
				t.Fatalf("got key %q of %q", k, in)
			}
			if clean(strings.NewReplacer("\n", "", "\r", "").Replace(v)) != strings.NewReplacer("\n", "", "\r", "").Replace(v) {
				continue // shown with marks, which don't read back
			}
			if back, err := dotenv.Parse("K=" + quoteVar(v)); err != nil || back["K"] != v {
				t.Fatalf("%q as %s came back as %q, %v", v, quoteVar(v), back["K"], err)
			}
		}
	})
}
