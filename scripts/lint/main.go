// Command lint holds the rules of this tree that no general linter knows: which
// package may import which, how long a file or function may be, which calls are
// never made, that a test which a document names is there, and that no two
// migrations have one number. Each rule carries its reason, which is printed with it.
//
// It reads syntax only. What needs types (unused code, misused APIs) is left to
// go vet and staticcheck.
//
//	go run ./scripts/lint [DIR]
package main

import (
	"fmt"
	"os"
	"sort"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	found, err := Check(root)
	if err != nil {
		fmt.Fprintf(os.Stderr, "lint: %v\n", err)
		os.Exit(2)
	}
	for _, f := range found {
		fmt.Println(f)
	}
	if len(found) > 0 {
		fmt.Fprintf(os.Stderr, "lint: %d findings\n", len(found))
		os.Exit(1)
	}
}

// Finding is one breach of a rule at one place.
type Finding struct {
	File   string // slash path below the root
	Line   int    // counted from 1
	Rule   string // what is asked, with the offending name in it
	Reason string // why the rule stands
}

// String is the finding as compilers print theirs: file:line: rule: reason.
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Rule, f.Reason)
}

// Check parses every Go file below root and returns what breaks a rule, in the
// order of files and lines. An error means that the tree could not be read or
// parsed.
func Check(root string) ([]Finding, error) {
	t, err := load(root)
	if err != nil {
		return nil, err
	}
	var found []Finding
	for _, s := range t.sources {
		found = append(found, checkImports(t.module, s)...)
		found = append(found, checkSize(s)...)
		found = append(found, checkCalls(s)...)
		found = append(found, checkNames(s)...)
	}
	found = append(found, checkPackages(t)...)
	docs, err := checkDocs(root, t)
	if err != nil {
		return nil, err
	}
	numbers, err := checkMigrations(root)
	if err != nil {
		return nil, err
	}
	found = append(append(found, docs...), numbers...)
	sort.SliceStable(found, func(i, j int) bool {
		if found[i].File != found[j].File {
			return found[i].File < found[j].File
		}
		return found[i].Line < found[j].Line
	})
	return found, nil
}
