package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
)

// goTexts gives the literals of a Go file and the documentation in its struct
// tags.
func goTexts(path string, src []byte) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, src, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", path, err)
	}
	if ast.IsGenerated(file) {
		return nil, nil
	}
	var texts []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			if n.Tag != nil {
				texts = append(texts, reflect.StructTag(unquoted(n.Tag)).Get("doc"))
				ast.Inspect(n.Type, func(n ast.Node) bool { return appendTags(n, &texts) })
				return false
			}
		case *ast.BinaryExpr:
			if text, ok := joined(n); ok {
				texts = append(texts, text)
				return false
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING {
				texts = append(texts, unquoted(n))
			}
		}
		return true
	})
	return texts, nil
}

// appendTags goes on in a struct within a field.
func appendTags(n ast.Node, texts *[]string) bool {
	if f, ok := n.(*ast.Field); ok && f.Tag != nil {
		*texts = append(*texts, reflect.StructTag(unquoted(f.Tag)).Get("doc"))
	}
	return true
}

// joined is a text that is added up, with … for what is known at run time.
func joined(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return unquoted(e), e.Kind == token.STRING
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return "", false
		}
		x, text := joined(e.X)
		y, more := joined(e.Y)
		switch {
		case text && more:
			return x + y, true
		case text:
			return x + "…", true
		case more:
			return "…" + y, true
		}
	}
	return "", false
}

func unquoted(l *ast.BasicLit) string {
	text, err := strconv.Unquote(l.Value)
	if err != nil {
		return ""
	}
	return text
}
