package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDotenv_ReadsTheUsualForms(t *testing.T) {
	in := "\ufeff# comment\r\n\nA=1\nexport B = two words # said\r\nC='single $x \\n'\nD=\"double \\\"q\\\"\\nline \\z\" # end\nE=\nF=\"\"\nG=a#b\nKEY=\"-----BEGIN\nmiddle\n-----END\"\nH=x=y\nI= # only a comment"

	got, err := parseDotenv(in)

	want := map[string]string{
		"A": "1", "B": "two words", "C": `single $x \n`, "D": "double \"q\"\nline \\z", "E": "", "F": "", "G": "a#b",
		"KEY": "-----BEGIN\nmiddle\n-----END", "H": "x=y", "I": "",
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("vars (-want +got), %v:\n%s", err, diff)
	}
}

func TestParseDotenv_NamesTheLine(t *testing.T) {
	for in, want := range map[string]string{
		"A=1\nnonsense":             "line 2 is not",
		"A=1\nnonsense\nB=2":        "line 2 is not",
		"=x":                        "line 1 is not",
		"two words=x":               "line 1 is not",
		"A=\"x\ny\"\n\nB='open":     "line 4 (B): the closing ' is missing",
		"A=\"x\" tail":              `line 1 (A): "tail" follows`,
		"A='multi\nline'\nexport B": "line 3 is not",
	} {
		_, err := parseDotenv(in)

		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseDotenv(%q): got %v, want %q", in, err, want)
		}
	}
}

func TestQuoteVar_IsReadBack(t *testing.T) {
	for _, v := range []string{"", "plain", "two words", "a#b", `"q" 'q' \ $x`, "line\nline\r\ttab", " edge "} {
		got, err := parseDotenv("K=" + quoteVar(v))

		if err != nil || got["K"] != v {
			t.Errorf("%q as %s: got %q, %v, want it back", v, quoteVar(v), got["K"], err)
		}
	}
}

func FuzzParseDotenv(f *testing.F) {
	f.Add("A=1\nexport B=\"x\\n\" # c\nC='a\nb'\n#\n")
	f.Fuzz(func(t *testing.T, in string) {
		vars, err := parseDotenv(in)
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
			if back, err := parseDotenv("K=" + quoteVar(v)); err != nil || back["K"] != v {
				t.Fatalf("%q as %s came back as %q, %v", v, quoteVar(v), back["K"], err)
			}
		}
	})
}
