package dockerignore

import (
	"strings"
	"testing"
)

func TestMatcher_Ignores(t *testing.T) {
	cases := []struct {
		file          string
		ignored, kept string
	}{
		{"", "", "a .git/config"},
		{"secrets/\nnode_modules\n*.md\n!README.md\n", "secrets secrets/key node_modules/x/y CHANGES.md", "README.md docs/a.md web/node_modules/x src"},
		{"**/node_modules\n", "node_modules/x web/node_modules/x", "web/node_module"},
		{"*\n!src\n", "a .env other/x", "src src/a src/deep/b"},
		{"*\n!src/keep\n", "src/drop a", "src/keep src/keep/x"},
		{"logs\n!**/keep\n", "logs/a logs/deep/b", "logs/keep logs/deep/keep keep a/keep"},
		{"*\n", "a .git Dockerfile .dockerignore", ""},
		{"\ufeff# comment\n  /dist/  \n\n./tmp\n", "dist/x tmp/x", "# comment a/dist"},
		{"!a\na\n", "a", "b"},
		{"file[0-9]?.txt\n", "file1a.txt", "filea.txt file1.txt"},
	}
	for _, c := range cases {
		m, err := Parse([]byte(c.file))
		if err != nil {
			t.Fatalf("%q: %v", c.file, err)
		}
		for _, name := range strings.Fields(c.ignored) {
			if !m.Ignores(name) {
				t.Errorf("%q keeps %s, want it ignored", c.file, name)
			}
		}
		for _, name := range strings.Fields(c.kept) {
			if m.Ignores(name) {
				t.Errorf("%q ignores %s, want it kept", c.file, name)
			}
		}
	}
}

func TestMatcher_NilIgnoresNothing(t *testing.T) {
	var m *Matcher

	if m.Ignores("a") || m.Prunes("a") {
		t.Error("without a file something is ignored")
	}
}

func TestParse_NamesAWrongPattern(t *testing.T) {
	for content, want := range map[string]string{
		"a\nb[\n":                            `pattern "b["`,
		"!\n":                                `pattern "!"`,
		"!b[\n":                              `pattern "!b["`,
		strings.Repeat("a\n", MaxPatterns+1): "1001 patterns",
	} {
		_, err := Parse([]byte(content))

		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got %v, want %s", content, err, want)
		}
	}
}

func TestPlace_KnowsWhatTheBuilderReads(t *testing.T) {
	p := Place{Dockerfile: "docker/Dockerfile.prod", Context: "app"}

	for name, want := range map[string]bool{
		"docker": true, "docker/Dockerfile.prod": true, "docker/Dockerfile.prod.dockerignore": true, "app/.dockerignore": true,
		"docker/other": false, ".dockerignore": false, "dock": false, "Dockerfile": false,
	} {
		if p.Reads(name) != want {
			t.Errorf("%s: got %v, want %v", name, !want, want)
		}
	}
	if rel, ok := p.Inside("app/src/x"); !ok || rel != "src/x" {
		t.Errorf("got %q, %v; want src/x", rel, ok)
	}
	if _, ok := p.Inside("apple"); ok {
		t.Error("apple is in the context app")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a\n!b\n", "**/x/[a-z]*\n", "# c\n\\\n", "!", "[", "a/../../b"} {
		f.Add([]byte(s), "a/b")
	}
	f.Fuzz(func(_ *testing.T, content []byte, name string) {
		if m, err := Parse(content); err == nil {
			m.Ignores(name)
			m.Ignores(name + "/x")
		}
	})
}
