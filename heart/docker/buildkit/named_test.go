package buildkit_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/heart/docker/buildkit"
	"aorta/heart/docker/dockerfile"
)

func TestNamesOf_FindsWhatComesFromElsewhere(t *testing.T) {
	for text, want := range map[string]buildkit.Named{
		"FROM scratch\nCOPY a b\nADD c.tar /":                                                   {},
		"FROM debian:12 AS one\nFROM ONE\nCOPY --from=one /a /b\nCOPY --from=0 /a /b":           {Images: []string{"debian:12"}},
		"FROM a\nCOPY --from=other/image /a /b":                                                 {Images: []string{"a", "other/image"}},
		"ARG V=12\nFROM debian:$V\nARG H=h\nENV P=p\nADD http://$H/${P} https://x.test/y /":     {Images: []string{"debian:12"}, URLs: []string{"http://h/p", "https://x.test/y"}},
		"ARG H=a.test\nFROM scratch\nARG H\nADD http://${H}/x http://${PORT:-b.test}/x /":       {URLs: []string{"http://a.test/x", "http://b.test/x"}},
		"FROM scratch\nADD http://$HOME_OF_BASE/x git@h.test:x.git https://h.test/x.git#main /": {URLs: []string{"git@h.test:x.git", "https://h.test/x.git#main"}},
		"FROM scratch\nARG GIVEN=c.test\nADD http://$GIVEN/x /":                                 {URLs: []string{"http://given.test/x"}},
		"FORM scratch": {},
		"":             {},
	} {
		got := buildkit.NamesOf(dockerfile.Recipe{Text: []byte(text), Args: map[string]string{"GIVEN": "given.test"}})

		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", text, diff)
		}
	}
}

func FuzzNamesOf(f *testing.F) {
	f.Add("FROM a\nARG X=1\nADD http://$X/y /\nCOPY --from=b /c /d\n")
	f.Add("# escape=`\nFROM a `\n AS b\nADD <<EOF /x\n$X\nEOF\n")
	f.Fuzz(func(_ *testing.T, text string) { buildkit.NamesOf(dockerfile.Recipe{Text: []byte(text)}) })
}
