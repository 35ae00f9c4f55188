package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// special says what a file is that holds no source, and is not to be opened: who
// reads a pipe waits until somebody writes. It is empty for any other.
func special(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&(fs.ModeDevice|fs.ModeIrregular) != 0:
		return "a device"
	}
	return ""
}

// refuseSpecial is asked before files that say what the source is are read.
func (s *source) refuseSpecial(names []string) error {
	for _, name := range names {
		st, err := os.Stat(filepath.Join(s.root, name))
		if err != nil || !filepath.IsLocal(name) {
			continue
		}
		if kind := special(st.Mode()); kind != "" {
			return usagef("%s is %s: put a file in its place, or remove it", clean(name), kind)
		}
	}
	return nil
}

// addFile adds what is no folder.
func (s *source) addFile(name string, mode fs.FileMode) {
	if kind := special(mode); kind != "" {
		s.left = append(s.left, clean(name)+" ("+kind+")")
		return
	}
	s.paths = append(s.paths, name)
}

// namedLeft is how many of what is left out is named.
const namedLeft = 5

// leftOut names what lies in the directory and is no source.
func (s *source) leftOut() string {
	names := s.left
	if len(names) > namedLeft {
		names = append(names[:namedLeft:namedLeft], "…")
	}
	return strings.Join(names, ", ")
}
