package build

import (
	"errors"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"aorta/pacemaker/cluster"
)

// ParseManifest parses aorta.yml. Its error tells all mistakes: each is found by
// reading what is left of the file without the ones before.
func ParseManifest(data []byte) (Manifest, error) {
	if err := plain(data); err != nil {
		return Manifest{}, err
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return Manifest{}, mistakes{mistakeOf(err)}.err()
	}
	var body ast.Node
	if len(file.Docs) > 0 {
		body = file.Docs[0].Body
	}
	var found mistakes
	for {
		m, err := parseManifest(body)
		if err == nil {
			return m, found.inOrder().err()
		}
		wrong := mistakeOf(err)
		removed := body != nil && wrong.remove(body)
		if found = append(found, wrong); !removed || len(found) >= maxMistakes {
			return Manifest{}, found.inOrder().err()
		}
	}
}

// mistakeOf is an error of the decoder, or of a check of ours, as a mistake.
func mistakeOf(err error) mistake {
	m := mistake{file: manifestName}
	var coded *cluster.Error
	if errors.As(err, &coded) {
		m.key, m.text = strings.TrimPrefix(coded.Field, manifestName+": "), coded.Message
		return m
	}
	at, text := decoded(err)
	m.text = text
	if at != nil {
		m.line, m.column = at.Position.Line, at.Position.Column
	}
	return m
}

// remove takes out of the file what is wrong, and notes where it stood. It says
// whether that was found.
func (m *mistake) remove(body ast.Node) bool {
	if m.line == 0 {
		return m.removeKey(body, m.key)
	}
	return removeAt(body, m.line, m.column)
}

// find notes where the key stands that is wrong.
func (m *mistake) find(data []byte) {
	if file, err := parser.ParseBytes(data, 0); err == nil && len(file.Docs) > 0 && file.Docs[0].Body != nil {
		m.removeKey(file.Docs[0].Body, m.key)
	}
}

// removeKey removes what a path such as processes.web.memory or domains[0] names:
// as much of it as is there.
func (m *mistake) removeKey(node ast.Node, path string) bool {
	switch n := node.(type) {
	case *ast.MappingNode:
		for i, entry := range n.Values {
			key := cluster.Clip(entry.Key.GetToken().Value)
			rest, has := strings.CutPrefix(path, key)
			if !has || rest != "" && rest[0] != '.' && rest[0] != '[' {
				continue
			}
			if rest = strings.TrimPrefix(rest, "."); rest == "" || !m.removeKey(entry.Value, rest) {
				m.at(entry)
				n.Values = append(n.Values[:i:i], n.Values[i+1:]...)
			}
			return true
		}
	case *ast.SequenceNode:
		for i, v := range n.Values {
			if path == "["+strconv.Itoa(i)+"]" {
				m.line, m.column = v.GetToken().Position.Line, v.GetToken().Position.Column
				n.Values = append(n.Values[:i:i], n.Values[i+1:]...)
				return true
			}
		}
	}
	return false
}

// at notes the place of an entry: of its value, where that is one word.
func (m *mistake) at(entry *ast.MappingValueNode) {
	t := entry.Key.GetToken()
	if v, one := entry.Value.(ast.ScalarNode); one {
		t = v.GetToken()
	}
	m.line, m.column = t.Position.Line, t.Position.Column
}

// removeAt removes the innermost entry of a mapping or list that holds a place.
func removeAt(node ast.Node, line, column int) bool {
	switch n := node.(type) {
	case *ast.MappingNode:
		i := last(len(n.Values), func(i int) bool { return !after(n.Values[i].Key.GetToken(), line, column) })
		if i < 0 {
			return false
		}
		if !removeAt(n.Values[i].Value, line, column) {
			n.Values = append(n.Values[:i:i], n.Values[i+1:]...)
		}
		return true
	case *ast.SequenceNode:
		i := last(len(n.Values), func(i int) bool { return !after(n.Values[i].GetToken(), line, column) })
		if i < 0 {
			return false
		}
		if !removeAt(n.Values[i], line, column) {
			n.Values = append(n.Values[:i:i], n.Values[i+1:]...)
		}
		return true
	}
	return false
}

func after(t *token.Token, line, column int) bool {
	return t.Position.Line > line || t.Position.Line == line && t.Position.Column > column
}

// last is the last index of which something holds, -1 for none.
func last(n int, holds func(i int) bool) int {
	for i := n - 1; i >= 0; i-- {
		if holds(i) {
			return i
		}
	}
	return -1
}
