package dashboard

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/words.txt anew")

var (
	comments = regexp.MustCompile(`(?m)^\s*//.*$|\s//\s.*$`)
	unread   = regexp.MustCompile(`(?m)^import .*$|class=\{.*?\}[ >]|(?:class|type|kind|state|href|rel|target|autocomplete|autocapitalize|inputMode|viewBox|role|scope)="[^"]*"`)
	between  = regexp.MustCompile(`>([^<>{}()=;|&]*[A-Za-z]{2}[^<>{}()=;|&]*)<`)
	quoted   = regexp.MustCompile("\"([^\"\\n]*)\"|`([^`\\n]*)`")
	spoken   = regexp.MustCompile(`^[A-Z][a-z]+|[a-z…}] [a-z$“]`)
)

// wordsOf are the texts of a source that a person may read: what stands between
// tags, and strings that are words.
func wordsOf(source string) []string {
	text := unread.ReplaceAllString(comments.ReplaceAllString(source, ""), "")
	var found []string
	for _, m := range between.FindAllStringSubmatch(text, -1) {
		found = append(found, strings.Join(strings.Fields(m[1]), " "))
	}
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		if s := m[1] + m[2]; spoken.MatchString(s) {
			found = append(found, s)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// The words of the pages are a list that is read whole: each change of it is a
// change of what people meet.
func TestPages_SayTheseWords(t *testing.T) {
	const golden = "testdata/words.txt"
	var list strings.Builder
	files, err := fs.Glob(os.DirFS("ui/src"), "*/*.tsx")
	modules, merr := fs.Glob(os.DirFS("ui/src"), "*.ts")
	if err = errors.Join(err, merr); err != nil || len(files) < 30 || len(modules) < 15 {
		t.Fatalf("got %d files of pages and %d modules, %v, want all", len(files), len(modules), err)
	}
	for _, name := range append(files, modules...) {
		source, err := os.ReadFile("ui/src/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, words := range wordsOf(string(source)) {
			fmt.Fprintf(&list, "%s\t%s\n", name, words)
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(list.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if diff := cmp.Diff(string(want), list.String()); diff != "" || err != nil {
		t.Errorf("the words of the pages (-want +got; go test ./web/dashboard -update, then read the difference): %v\n%s", err, diff)
	}
}
