package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the list of the tree")

func TestRun_TheWordsAreThoseOfTheList(t *testing.T) {
	t.Parallel()
	list := filepath.Join("testdata", "words.txt")
	var got bytes.Buffer
	if err := run("../..", &got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(list, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}

	for _, change := range changes(lines(want), lines(got.Bytes())) {
		t.Error(change)
	}
	if t.Failed() {
		t.Log("what people are told has changed: go test ./scripts/words -update, and read the list's difference")
	}
}

func lines(text []byte) []string { return strings.Split(string(text), "\n") }

// changes names what one list has and the other has not.
func changes(want, got []string) []string {
	var list []string
	for _, l := range want {
		if !slices.Contains(got, l) {
			list = append(list, "gone: "+l)
		}
	}
	for _, l := range got {
		if !slices.Contains(want, l) {
			list = append(list, "new:  "+l)
		}
	}
	return list
}

func TestFind_ReadsEachKindOfFile(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range map[string]string{
		"cmd/a/main.go": `package main
import _ "some/package name"
type in struct { Host string ` + "`doc:\"name of the app\" json:\"no text\"`" + ` }
// not this comment
func f() { g("no such app: "+name+" is gone", "single", "SELECT a FROM b", 'x') }`,
		"cmd/a/main_test.go":  `package main; var x = "not of a test"`,
		"cmd/testdata/x.go":   `package x; var x = "not of testdata"`,
		"nginx/lua/limit.lua": "-- not \"this comment here\"\nngx.say(\"too many requests\")",
		"scripts/x.go":        `package x; var x = "not of scripts"`,
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, room := range rooms {
		if err := os.MkdirAll(filepath.Join(root, room), 0o755); err != nil {
			t.Fatal(err)
		}
	}

	var got bytes.Buffer
	if err := run(root, &got); err != nil {
		t.Fatal(err)
	}

	const want = `cmd/a/main.go
	name of the app
	no such app: … is gone
nginx/lua/limit.lua
	too many requests
`
	if got.String() != want {
		t.Errorf("the list: got\n%s\nwant\n%s", got.String(), want)
	}
}
