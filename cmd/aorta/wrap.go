package main

import "strings"

// wrap breaks a text between its words, and longer words within, so that each line
// fits the width; 0 leaves it whole.
func wrap(text string, width int) []string {
	if width == 0 || columns(text) <= width {
		return []string{text}
	}
	var lines []string
	line := ""
	for i, word := range strings.Split(text, " ") {
		if i > 0 && columns(line)+1+columns(word) > width {
			lines, line = append(lines, strings.TrimRight(line, " ")), ""
		} else if i > 0 {
			line += " "
		}
		line += word
		for columns(line) > width && !strings.Contains(line, "\x1b") {
			head := []rune(line)
			lines, line = append(lines, string(head[:width])), string(head[width:])
		}
	}
	return append(lines, strings.TrimRight(line, " "))
}

// hanging prints a text of one line, or of as many as it takes, the later ones
// further to the right.
func (s *screen) hanging(indent, text string) {
	const more = "    "
	for i, part := range wrap(text, s.beside(len(indent)+len(more))) {
		if i > 0 {
			part = more + part
		}
		s.line("%s%s", indent, part)
	}
}

// block prints each line of a text that cleanBlock has made.
func (s *screen) block(indent, text string) {
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			line = strings.TrimPrefix(line, "  ")
		}
		s.hanging(indent, line)
	}
}

// sentence prints a text behind a mark of two columns. The next step in brackets
// gets a line of its own where the text is long.
func (s *screen) sentence(mark, text string) {
	width := s.beside(columns(mark))
	text = clean(firstLine(text))
	parts := []string{text}
	if at := strings.LastIndex(text, " ("); at > 0 && width > 0 && columns(text) > width && strings.HasSuffix(strings.TrimSuffix(text, "."), ")") {
		parts = []string{text[:at], text[at+1:]}
	}
	for _, part := range parts {
		for _, line := range wrap(part, width) {
			s.line("%s%s", mark, line)
			mark = "  "
		}
	}
}

// beside is the width that is left beside so many columns; 0 for any.
func (s *screen) beside(taken int) int {
	if s.width == 0 {
		return 0
	}
	return max(s.width-taken, 1)
}
