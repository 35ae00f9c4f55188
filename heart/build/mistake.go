package build

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"aorta/pacemaker/cluster"
)

// maxMistakes is how many mistakes of a file are told at once.
const maxMistakes = 20

// mistake is one thing that is wrong in a file of the source.
type mistake struct {
	file         string
	line, column int // from 1; 0: not known
	key          string
	text         string
}

// mistakes are all that is wrong in the files of a source, in their order.
type mistakes []mistake

// err is an error that tells all of them; nil for none.
func (m mistakes) err() error {
	if len(m) == 0 {
		return nil
	}
	return &wrongFiles{m}
}

// wrongFiles is the error of mistakes, until the files are there to be quoted.
type wrongFiles struct{ list mistakes }

func (w *wrongFiles) Error() string {
	words := make([]string, len(w.list))
	for i, m := range w.list {
		words[i] = m.String()
	}
	return strings.Join(words, "\n")
}

// Unwrap gives its code.
func (w *wrongFiles) Unwrap() error { return cluster.Invalid("", "%s", w.Error()) }

// String is where it is, and what: aorta.yml:4:13: processes.web.memory: …
func (m mistake) String() string {
	text := m.file
	if m.line > 0 {
		text += fmt.Sprintf(":%d", m.line)
	}
	if m.column > 0 {
		text += fmt.Sprintf(":%d", m.column)
	}
	if m.key != "" {
		text += ": " + m.key
	}
	return text + ": " + m.text
}

// quoted is a mistake with its line and a mark below the place.
func (m mistake) quoted(data []byte) string {
	lines := strings.Split(string(data), "\n")
	if m.line < 1 || m.line > len(lines) {
		return m.String()
	}
	line := strings.TrimRight(lines[m.line-1], "\r")
	const longest = 200
	if m.column < 1 || m.column > len([]rune(line)) || len(line) > longest {
		return m.String() + "\n    " + visible(cluster.Clip(line))
	}
	before := []rune(line)[:m.column-1]
	return m.String() + "\n    " + visible(line) + "\n    " + strings.Repeat(" ", len(before)) + "^"
}

// visible puts a space in the place of each character that has no width of one.
func visible(line string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(line, "?"))
}

// forPeople makes one error for people of errors of the source's files: all mistakes
// with their lines, in their order.
func (d declared) forPeople(errs ...error) error {
	var all mistakes
	for _, err := range errs {
		var wrong *wrongFiles
		var coded *cluster.Error
		switch {
		case err == nil:
		case errors.As(err, &wrong):
			all = append(all, wrong.list...)
		case errors.As(err, &coded) && strings.HasPrefix(coded.Field, manifestName+": "):
			m := mistakeOf(err)
			m.find(d.manifest)
			all = append(all, m)
		default:
			return err
		}
	}
	if len(all) == 0 {
		return nil
	}
	texts := make([]string, 0, len(all)+1)
	if len(all) > 1 {
		texts = append(texts, fmt.Sprintf("%d mistakes in %s:", len(all), all.files()))
	}
	for _, m := range all {
		texts = append(texts, m.quoted(d.file(m.file)))
	}
	return cluster.Invalid("", "%s", strings.Join(texts, "\n"))
}

// files names the files with mistakes.
func (m mistakes) files() string {
	var names []string
	for _, one := range m {
		if !slices.Contains(names, one.file) {
			names = append(names, one.file)
		}
	}
	return strings.Join(names, " and ")
}

func (d declared) file(name string) []byte {
	switch name {
	case procfileName:
		return d.procfile
	case appJSONName:
		return d.appJSON
	}
	return d.manifest
}

// inOrder sorts mistakes of one file by their places.
func (m mistakes) inOrder() mistakes {
	slices.SortStableFunc(m, func(a, b mistake) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	return m
}

// The files of a source that say how it runs.
const (
	procfileName = "Procfile"
	manifestName = "aorta.yml"
	appJSONName  = "app.json"
)
