// Package dockerignore says which files of a build's context its ignore file
// leaves out, exactly as docker build does with BuildKit.
package dockerignore

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// MaxPatterns bounds the patterns of one file, since each is tried on each file.
const MaxPatterns = 1000

// Matcher knows the patterns of one file. Nil ignores nothing. It is not safe
// for concurrent use.
type Matcher struct {
	patterns *patternmatcher.PatternMatcher
	folders  map[string]folder
}

// folder is what is known of a folder once something in it was asked about.
type folder struct {
	matched patternmatcher.MatchInfo
	pruned  bool // with all that is in it
}

// Parse reads the content of an ignore file. Its error says what is wrong with
// which pattern.
func Parse(content []byte) (*Matcher, error) {
	lines, err := ignorefile.ReadAll(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	if len(lines) > MaxPatterns {
		return nil, fmt.Errorf("has %d patterns; the limit is %d", len(lines), MaxPatterns)
	}
	for _, line := range lines {
		if err := check(line); err != nil {
			return nil, fmt.Errorf("pattern %q: %w", line, err)
		}
	}
	patterns, err := patternmatcher.New(lines)
	return &Matcher{patterns: patterns, folders: map[string]folder{}}, err
}

// check compiles a pattern, which happens at its first use.
func check(pattern string) error {
	p, err := patternmatcher.New([]string{pattern})
	if err == nil && !p.Exclusions() {
		_, err = p.MatchesOrParentMatches("x")
		return err
	}
	if err == nil {
		return check(strings.TrimPrefix(pattern, "!"))
	}
	return err
}

// Ignores tells whether the file, folder or link of this name is left out. The
// name is relative and clean, with slashes.
func (m *Matcher) Ignores(name string) bool {
	if m == nil {
		return false
	}
	in := m.folder(path.Dir(name))
	if in.pruned {
		return true
	}
	ignored, _, err := m.patterns.MatchesUsingParentResults(name, in.matched)
	return err == nil && ignored // Parse has found what is an error
}

// Prunes tells whether a folder is left out with all that is in it.
func (m *Matcher) Prunes(name string) bool { return m != nil && m.folder(name).pruned }

func (m *Matcher) folder(name string) folder {
	if name == "." {
		return folder{}
	}
	if f, known := m.folders[name]; known {
		return f
	}
	f := m.folder(path.Dir(name))
	if !f.pruned {
		var ignored bool
		ignored, f.matched, _ = m.patterns.MatchesUsingParentResults(name, f.matched)
		f.pruned = ignored && !m.excepted(name)
	}
	m.folders[name] = f
	return f
}

// excepted tells whether an exception may name something in an ignored folder:
// one that begins with its name, or any with a wildcard in it.
func (m *Matcher) excepted(name string) bool {
	for _, p := range m.patterns.Patterns() {
		if p.Exclusion() && (hasWildcard(p.String()) || strings.HasPrefix(p.String()+"/", name+"/")) {
			return true
		}
	}
	return false
}

func hasWildcard(pattern string) bool {
	pattern = strings.TrimSuffix(strings.TrimSuffix(pattern, "/**"), "/*")
	return strings.ContainsAny(pattern, `*[]?^\`)
}
