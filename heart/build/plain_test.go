package build

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// bomb is a file whose aliases stand for nine to the power of its levels.
func bomb(levels int) string {
	text := "a: &l0 [x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < levels; i++ {
		name := fmt.Sprintf("*l%d", i-1)
		text += fmt.Sprintf("b%d: &l%d [%s]\n", i, i, strings.Join(slicesOf(name, 9), ","))
	}
	return text + fmt.Sprintf("domains: *l%d\n", levels-1)
}

func slicesOf(s string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = s
	}
	return out
}

func TestParseManifest_RefusesWhatCostsMoreThanItsSize(t *testing.T) {
	const size = 64 << 10
	for name, c := range map[string]struct{ text, says string }{
		"aliases":        {bomb(9), "aliases"},
		"in a process":   {"processes:\n  web: &a\n    command: x\n  b: *a\n", "aliases"},
		"a merge key":    {"processes:\n  web:\n    <<: {command: x}\n", "merge keys"},
		"lists":          {"domains: " + strings.Repeat("[", size), "nested"},
		"mappings":       {strings.Repeat("{a: ", size/4), "nested"},
		"closed":         {"domains: " + strings.Repeat("[", size/2) + strings.Repeat("]", size/2), "nested"},
		"dashes":         {"domains:\n" + strings.Repeat("- ", size/2), "nested"},
		"keys":           {strings.Repeat("? ", size/2), "nested"},
		"both":           {"domains:\n" + strings.Repeat("- [", size/3), "nested"},
		"over lines":     {"domains: " + strings.Repeat("[\n", size/2), "nested"},
		"documents":      {"domains: []\n---\ndomains: []\n", "second document"},
		"many documents": {strings.Repeat("---\n", size/4), "second document"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)

		_, err := ParseManifest([]byte(c.text))

		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %.200v, want it refused for %s", name, err, c.says)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 100<<20 {
			t.Errorf("%s: took %d MB", name, took>>20)
		}
	}
}

// What is long and not deep is read in proportion to its size.
func TestParseManifest_ReadsLongFilesAtTheirSize(t *testing.T) {
	for name, text := range map[string]string{
		"domains":  "domains:\n" + strings.Repeat("- a.example.com\n", 4000),
		"one":      "domains: [" + strings.Repeat("a.example.com, ", 4000) + "b.example.com]\n",
		"document": "---\ndomains: []\n",
		"columns":  steps(300),
		"quoted":   "domains: [\"" + strings.Repeat("[", 60000) + "\"]\n",
		"comment":  "# " + strings.Repeat("&*[", 20000) + "\ndomains: []\n",
		"block":    "processes:\n  web:\n    command: |\n" + strings.Repeat("      echo [[[ &a *b\n", 300),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)

		_, err := ParseManifest([]byte(text))

		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 300<<20 {
			t.Errorf("%s: took %d MB (%.100v)", name, took>>20, err)
		}
		if err != nil && (strings.Contains(err.Error(), "nested") || strings.Contains(err.Error(), "aliases")) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// steps goes a column deeper in each line.
func steps(n int) string {
	var text strings.Builder
	for i := range n {
		_, _ = fmt.Fprintf(&text, "%sa:\n", strings.Repeat(" ", i))
	}
	return text.String()
}
