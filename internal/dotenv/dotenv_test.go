package dotenv_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/dotenv"
)

func TestParse_ReadsTheUsualForms(t *testing.T) {
	in := "\ufeff# comment\r\n\nA=1\nexport B = two words # said\r\nC='single $x \\n'\nD=\"double \\\"q\\\"\\nline \\z\" # end\nE=\nF=\"\"\nG=a#b\nKEY=\"-----BEGIN\nmiddle\n-----END\"\nH=x=y\nI= # only a comment"

	got, err := dotenv.Parse(in)

	want := map[string]string{
		"A": "1", "B": "two words", "C": `single $x \n`, "D": "double \"q\"\nline \\z", "E": "", "F": "", "G": "a#b",
		"KEY": "-----BEGIN\nmiddle\n-----END", "H": "x=y", "I": "",
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("vars (-want +got), %v:\n%s", err, diff)
	}
}

func TestParse_NamesTheLine(t *testing.T) {
	for in, want := range map[string]string{
		"A=1\nnonsense":             "line 2 is not",
		"A=1\nnonsense\nB=2":        "line 2 is not",
		"=x":                        "line 1 is not",
		"two words=x":               "line 1 is not",
		"A=\"x\ny\"\n\nB='open":     "line 4 (B): the closing ' is missing",
		"A=\"x\" tail":              `line 1 (A): "tail" follows`,
		"A='multi\nline'\nexport B": "line 3 is not",
	} {
		_, err := dotenv.Parse(in)

		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): got %v, want %q", in, err, want)
		}
	}
}
