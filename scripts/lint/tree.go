package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// tree is every Go file of a module, parsed.
type tree struct {
	module  string // module path, from go.mod
	sources []source
}

// source is one parsed file.
type source struct {
	path  string // slash path below the root
	dir   string // its folder, "." for the root
	name  string // its package
	test  bool   // a _test.go file
	lines int
	file  *ast.File
	fset  *token.FileSet
}

// line is where a node starts.
func (s source) line(n ast.Node) int { return s.fset.Position(n.Pos()).Line }

// finding reports a rule at a node.
func (s source) finding(n ast.Node, rule, reason string) Finding {
	return Finding{File: s.path, Line: s.line(n), Rule: rule, Reason: reason}
}

// importName is what the file calls the package with this path, "" when it does
// not import it.
func (s source) importName(importPath string) string {
	for _, spec := range s.file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil || p != importPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

// load parses every Go file below root, leaving out what the go tool leaves out.
func load(root string) (tree, error) {
	module, err := moduleOf(filepath.Join(root, "go.mod"))
	if err != nil {
		return tree{}, err
	}
	t := tree{module: module}
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(root, p, d.Name())
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		s, err := parse(root, p)
		if err != nil {
			return err
		}
		if !ast.IsGenerated(s.file) {
			t.sources = append(t.sources, s)
		}
		return nil
	})
	if err != nil {
		return tree{}, fmt.Errorf("read the tree: %w", err)
	}
	return t, nil
}

func skip(root, p, name string) error {
	hidden := strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
	if p != root && (hidden || name == "testdata" || name == "node_modules" || name == "vendor") {
		return fs.SkipDir
	}
	return nil
}

func parse(root, p string) (source, error) {
	text, err := os.ReadFile(p)
	if err != nil {
		return source{}, err
	}
	rel, err := filepath.Rel(root, p)
	if err != nil {
		return source{}, err
	}
	rel = filepath.ToSlash(rel)
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, rel, text, parser.ParseComments)
	if err != nil {
		return source{}, fmt.Errorf("parse: %w", err)
	}
	return source{
		path: rel, dir: path.Dir(rel), name: file.Name.Name,
		test:  strings.HasSuffix(rel, "_test.go"),
		lines: bytes.Count(text, []byte("\n")), file: file, fset: fset,
	}, nil
}

func moduleOf(gomod string) (string, error) {
	text, err := os.ReadFile(gomod)
	if err != nil {
		return "", fmt.Errorf("read the module's name: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "module "); ok {
			return strings.TrimSpace(name), nil
		}
	}
	return "", fmt.Errorf("%s has no module line", gomod)
}
