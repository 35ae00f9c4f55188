package main

import (
	"fmt"
	"go/ast"
)

const (
	maxFile = 500 // lines
	maxFunc = 60  // lines, from func to the closing brace
	maxTest = 120 // the same in tests: a table of cases is read row by row

	fileReason = "one noun a file: a reader should hold it in mind"
	funcReason = "a function that needs scrolling does more than one thing"
)

func checkSize(s source) []Finding {
	var found []Finding
	if s.lines > maxFile {
		rule := fmt.Sprintf("file has %d lines, at most %d", s.lines, maxFile)
		found = append(found, Finding{File: s.path, Line: 1, Rule: rule, Reason: fileReason})
	}
	limit := maxFunc
	if s.test {
		limit = maxTest
	}
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if n := s.fset.Position(f.End()).Line - s.line(f) + 1; n > limit {
			rule := fmt.Sprintf("%s has %d lines, at most %d", f.Name.Name, n, limit)
			found = append(found, s.finding(f, rule, funcReason))
		}
	}
	return found
}
