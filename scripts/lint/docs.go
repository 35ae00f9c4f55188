package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
)

// named matches a test as documents name one.
var named = regexp.MustCompile("`(Test[A-Za-z0-9]*_[A-Za-z0-9_]+)`")

// checkDocs finds what documents call a test and nobody wrote: a promise that
// nothing keeps.
func checkDocs(root string, t tree) ([]Finding, error) {
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		return nil, fmt.Errorf("list the documents: %w", err)
	}
	written := tests(t)
	var found []Finding
	for _, doc := range docs {
		text, err := os.ReadFile(doc)
		if err != nil {
			return nil, fmt.Errorf("read a document: %w", err)
		}
		for i, line := range bytes.Split(text, []byte("\n")) {
			for _, m := range named.FindAllSubmatch(line, -1) {
				if name := string(m[1]); !written[name] {
					found = append(found, Finding{
						File: "docs/" + filepath.Base(doc), Line: i + 1, Rule: "there is no test " + name,
						Reason: "what a document says is shown must be: name the test that shows it",
					})
				}
			}
		}
	}
	return found, nil
}

// tests are the names of all test functions.
func tests(t tree) map[string]bool {
	all := map[string]bool{}
	for _, s := range t.sources {
		if !s.test {
			continue
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				all[f.Name.Name] = true
			}
		}
	}
	return all
}
