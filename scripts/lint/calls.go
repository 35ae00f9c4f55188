package main

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

const (
	sleepReason = "a sleep is too short or too long; wait on a condition, a timer or a context"
	timedReason = "a slow machine is no fault: testkit.Bounded and Eventually end what hangs, an order or a benchmark says what is quick (beside testing/synctest, whose clock is the test's)"
	rootReason  = "a context from nowhere outlives its caller; take one, or mark bounded clean-up with // detached: and its bound"
	shellReason = "a shell turns a name into a command; pass argv (an app's own container is the one exception)"
)

// clocked are the functions of package time that read or wait on the clock.
var clocked = []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// timing are the calls by which a test measures or bounds a time.
var timing = []string{
	"time.Since", "time.After", "time.AfterFunc", "time.Tick",
	"context.WithTimeout", "context.WithTimeoutCause", "context.WithDeadline", "context.WithDeadlineCause",
}

// deadlines are the methods by which a test bounds a connection.
var deadlines = []string{"SetDeadline", "SetReadDeadline", "SetWriteDeadline"}

// shells are program names that run a line of text as commands.
var shells = []string{"sh", "bash", "dash", "zsh"}

func checkCalls(s source) []Finding {
	c := calls{source: s, detached: detachedLines(s), names: map[string]string{}}
	for _, p := range []string{"time", "context", "os/exec"} {
		if name := s.importName(p); name != "" {
			c.names[name] = p
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			c.selector(n)
		case *ast.CallExpr:
			c.command(n)
			c.deadline(n)
		case *ast.BasicLit:
			c.literal(n)
		}
		return true
	})
	return c.found
}

// calls collects the findings of one file.
type calls struct {
	source
	names    map[string]string // local name → import path
	detached map[int]bool      // lines that may make a root context
	found    []Finding
}

func (c *calls) selector(n *ast.SelectorExpr) {
	pkg, ok := n.X.(*ast.Ident)
	if !ok {
		return
	}
	called := c.names[pkg.Name] + "." + n.Sel.Name
	switch {
	case called == "time.Sleep":
		c.add(n, "no time.Sleep", sleepReason)
	case c.test && slices.Contains(timing, called) && c.importName("testing/synctest") == "":
		c.add(n, "no "+called+" in a test", timedReason)
	case called == "context.Background" || called == "context.TODO":
		if !c.mayRoot(n) {
			c.add(n, "no "+called+" here", rootReason)
		}
	case c.names[pkg.Name] == "time" && slices.Contains(clocked, n.Sel.Name):
		if !c.test && slices.Contains(pure, c.dir) {
			c.add(n, "no time."+n.Sel.Name+" in "+c.dir, pureReason)
		}
	}
}

// mayRoot allows a root context in programs, tests and marked lines.
func (c *calls) mayRoot(n ast.Node) bool {
	program := c.name == "main" || strings.HasPrefix(c.dir, "cmd/")
	return program || c.test || slices.Contains(rigs, c.dir) || c.detached[c.line(n)]
}

// command finds exec.Command("sh", …), whatever the arguments are.
func (c *calls) command(n *ast.CallExpr) {
	sel, ok := n.Fun.(*ast.SelectorExpr)
	if !ok || c.test {
		return
	}
	pkg, ok := sel.X.(*ast.Ident)
	if !ok || c.names[pkg.Name] != "os/exec" || !strings.HasPrefix(sel.Sel.Name, "Command") {
		return
	}
	for _, arg := range n.Args[:min(2, len(n.Args))] {
		if text, ok := text(arg); ok && slices.Contains(shells, path.Base(text)) {
			c.add(n, "no shell ("+text+")", shellReason)
			return
		}
	}
}

// deadline finds conn.SetDeadline(time.Now().Add(…)) of a time other than Hang.
func (c *calls) deadline(n *ast.CallExpr) {
	sel, ok := n.Fun.(*ast.SelectorExpr)
	if !ok || !c.test || !slices.Contains(deadlines, sel.Sel.Name) || len(n.Args) != 1 || c.importName("testing/synctest") != "" {
		return
	}
	added, ok := n.Args[0].(*ast.CallExpr)
	if !ok || len(added.Args) != 1 { // time.Now() alone ends what waits
		return
	}
	if by, ok := added.Args[0].(*ast.SelectorExpr); !ok || by.Sel.Name != "Hang" {
		c.add(n, "no deadline of its own in a test", timedReason)
	}
}

// literal finds a shell's path or a "sh -c" line kept in a string.
func (c *calls) literal(n *ast.BasicLit) {
	if c.test || c.dir == "heart/docker" || c.dir == "scripts/lint" {
		return
	}
	s, ok := text(n)
	if !ok {
		return
	}
	if s == "/bin/sh" || s == "/bin/bash" || strings.HasPrefix(s, "sh -c") || strings.Contains(s, "/sh -c") {
		c.add(n, "no shell ("+s+")", shellReason)
	}
}

func (c *calls) add(n ast.Node, rule, reason string) {
	c.found = append(c.found, c.finding(n, rule, reason))
}

// text is the value of a string literal.
func text(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// detachedLines are the lines that carry a "// detached:" comment or follow one.
func detachedLines(s source) map[int]bool {
	lines := map[int]bool{}
	for _, group := range s.file.Comments {
		for _, comment := range group.List {
			if strings.HasPrefix(comment.Text, "// detached:") {
				lines[s.line(comment)] = true
				lines[s.fset.Position(group.End()).Line+1] = true
			}
		}
	}
	return lines
}
