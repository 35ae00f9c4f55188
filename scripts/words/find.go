package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// File is what one file says.
type File struct {
	Path  string // slash path below the root
	Texts []string
}

// rooms are the folders whose files speak to people, and how each kind is read.
var (
	rooms   = []string{"cmd", "heart", "internal", "jobs", "nginx", "pacemaker", "router", "web"}
	readers = map[string]func(path string, src []byte) ([]string, error){
		".go": goTexts, ".lua": luaTexts,
	}
)

// Find gives the files of a tree that say something, in the order of their names.
func Find(root string) ([]File, error) {
	var files []File
	for _, room := range rooms {
		err := filepath.WalkDir(filepath.Join(root, room), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && silent(d.Name()) {
				return filepath.SkipDir
			}
			texts, err := textsOf(path, d)
			if err != nil || len(texts) == 0 {
				return err
			}
			below, err := filepath.Rel(root, path)
			files = append(files, File{filepath.ToSlash(below), texts})
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", room, err)
		}
	}
	return files, nil
}

// silent are folders of tests, of what is built and of what others wrote.
func silent(name string) bool {
	return slices.Contains([]string{"testdata", "testkit", "node_modules", "dist", "test", "rig"}, name)
}

// textsOf reads a file that is no test.
func textsOf(path string, d fs.DirEntry) ([]string, error) {
	read := readers[filepath.Ext(path)]
	if d.IsDir() || read == nil || strings.Contains(d.Name(), "_test.") {
		return nil, nil
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	all, err := read(path, src)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, text := range all {
		text = strings.Join(strings.Fields(text), " ")
		if spoken(text) && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts, nil
}

var (
	// verb is what stands for something that is known at run time.
	verb  = regexp.MustCompile(`%[-+#0-9.\[\]*]*[a-zA-Z]|…`)
	word  = regexp.MustCompile(`\pL{3}`)
	aWord = regexp.MustCompile(`^[A-Z][a-z]{2,}[.!?…]?$`)
	// machine is what programs say to one another: SQL, C, headers and code.
	machine = regexp.MustCompile(`^(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|WITH|BEGIN|DROP) |^(LEFT )?JOIN | AND NOT |^[a-z_.]+ (=|>|<|<>|IN|IS|AS|NOT IN|LIKE) |^[a-z_.]+, [a-z_.*]+[,.]|^[a-z_]+, [a-z_]+$|\($| ASC$| DESC\b|^(unsigned|const uint8_t) |^EXISTS |; charset=|^\(state `)
)

// spoken says that a text has words for people: a sentence, a part of one, or the
// name of a button.
func spoken(text string) bool {
	if machine.MatchString(text) || len(text) > 4000 {
		return false
	}
	return aWord.MatchString(text) || strings.Contains(text, " ") && word.MatchString(verb.ReplaceAllString(text, "%"))
}
