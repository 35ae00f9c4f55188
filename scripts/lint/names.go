package main

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// vague names say nothing of what is inside, so everything ends up there.
var vague = []string{"common", "util", "utils", "helper", "helpers", "manager", "data", "info", "misc"}

// known methods are documented by the interface that they exist for.
var known = []string{
	"Error", "Unwrap", "Is", "As", "String", "GoString", "Format", "ServeHTTP", "Len", "Less", "Swap", "Close",
	"MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "Read", "Write", "Value", "Scan",
}

const (
	vagueReason   = "a package is named for what it holds; everything fits under a name that says nothing"
	docReason     = "every exported name says what it is: shapes, units, errors"
	packageReason = "one top comment says what the package is for and what it is not for"
)

// checkNames asks for a doc comment on every exported name of a package that
// can be imported.
func checkNames(s source) []Finding {
	if s.test || s.name == "main" {
		return nil
	}
	var found []Finding
	for _, d := range s.file.Decls {
		for _, id := range undocumented(d) {
			found = append(found, s.finding(id, "document "+id.Name, docReason))
		}
	}
	return found
}

func undocumented(d ast.Decl) []*ast.Ident {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && !exempt(d) {
			return []*ast.Ident{d.Name}
		}
	case *ast.GenDecl:
		if d.Tok != token.IMPORT && d.Doc == nil {
			return undocumentedSpecs(d)
		}
	}
	return nil
}

// exempt methods belong to an unexported type or to a known interface.
func exempt(f *ast.FuncDecl) bool {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return false
	}
	return slices.Contains(known, f.Name.Name) || !ast.IsExported(receiver(f.Recv.List[0].Type))
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

func undocumentedSpecs(d *ast.GenDecl) []*ast.Ident {
	var ids []*ast.Ident
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Doc == nil && spec.Comment == nil && spec.Name.IsExported() {
				ids = append(ids, spec.Name)
			}
		case *ast.ValueSpec:
			if spec.Doc == nil && spec.Comment == nil {
				ids = append(ids, exported(spec.Names)...)
			}
		}
	}
	return ids
}

func exported(names []*ast.Ident) []*ast.Ident {
	return slices.DeleteFunc(slices.Clone(names), func(id *ast.Ident) bool { return !id.IsExported() })
}

// checkPackages looks at each folder's package as a whole.
func checkPackages(t tree) []Finding {
	type state struct {
		first      source
		documented bool
	}
	packages := map[string]*state{}
	for _, s := range t.sources {
		if s.test {
			continue
		}
		p := packages[s.dir]
		if p == nil {
			p = &state{first: s}
			packages[s.dir] = p
		}
		p.documented = p.documented || s.file.Doc != nil && strings.TrimSpace(s.file.Doc.Text()) != ""
	}
	var found []Finding
	for dir, p := range packages {
		if !p.documented {
			found = append(found, p.first.finding(p.first.file.Name, "package "+p.first.name+" ("+dir+") has no comment", packageReason))
		}
		if slices.Contains(vague, p.first.name) {
			found = append(found, p.first.finding(p.first.file.Name, "no package named "+p.first.name, vagueReason))
		}
	}
	return found
}
