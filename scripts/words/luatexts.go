package main

import "strings"

// luaTexts gives the literals of a Lua file, but for those in long brackets. A
// quote after a letter is an apostrophe in a comment.
func luaTexts(_ string, src []byte) ([]string, error) {
	var texts []string
	for _, line := range strings.Split(string(src), "\n") {
		for line != "" && !strings.HasPrefix(line, "--") {
			if line[0] != '"' && line[0] != '\'' {
				line = line[1:]
				continue
			}
			text, size := quoted(line)
			texts = append(texts, text)
			line = line[size:]
		}
	}
	return texts, nil
}

// quoted is the literal at the begin of a line, and its size with its quotes.
func quoted(line string) (text string, size int) {
	var out strings.Builder
	for i := 1; i < len(line); i++ {
		switch c := line[i]; {
		case c == line[0]:
			return out.String(), i + 1
		case c == '\\' && i+1 < len(line):
			i++
			out.WriteByte(line[i])
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), len(line)
}
