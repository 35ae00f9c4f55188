package build

import (
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// maxNesting is how many lists and mappings may begin within one another on one
// line, or in brackets. Elsewhere each level costs a column more in each line, so
// that the size of the file bounds them.
const maxNesting = 20

// plain refuses YAML that costs more to read than its size says: aliases, which
// multiply what they stand for, and nesting, whose cost goes with its square. It
// works on the tokens, whose number the size bounds.
func plain(data []byte) error {
	open, begun, line := 0, 0, 0 // brackets; dashes and question marks of a line
	content := false
	for _, t := range lexer.Tokenize(string(data)) {
		at := t.Position
		if at.Line != line {
			begun, line = 0, at.Line
		}
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return refuseYAML(at, "anchors, aliases and merge keys are not read; write the value out")
		case token.DocumentHeaderType:
			if content {
				return refuseYAML(at, "a second document begins; one file is one document")
			}
			content = true
		case token.SequenceStartType, token.MappingStartType:
			open++
		case token.SequenceEndType, token.MappingEndType:
			open--
		case token.SequenceEntryType, token.MappingKeyType:
			begun++
		}
		content = content || t.Type != token.CommentType && t.Type != token.DirectiveType
		if open > maxNesting || begun > maxNesting {
			return refuseYAML(at, "lists and mappings are nested more than 20 deep")
		}
	}
	return nil
}

func refuseYAML(at *token.Position, why string) error {
	return mistakes{{file: manifestName, line: at.Line, column: at.Column, text: why}}.err()
}
