package dockerignore

import (
	"path"
	"strings"
)

// File is the ignore file of a context.
const File = ".dockerignore"

// Place says where in a source its build is, as docker build -f Dockerfile
// Context would be told in the source's root. Both are relative and clean.
type Place struct {
	Dockerfile string
	Context    string // "." for the whole source
}

// Root is where a build is unless the source says so.
var Root = Place{Dockerfile: "Dockerfile", Context: "."}

// IgnoreFiles are the names of the files that may say what is left out. The
// first that is there counts alone.
func (p Place) IgnoreFiles() []string {
	return []string{p.Dockerfile + File, path.Join(p.Context, File)}
}

// Inside gives a file's name in the context; ok says that it is in there.
func (p Place) Inside(name string) (rel string, ok bool) {
	if p.Context == "." {
		return name, true
	}
	return strings.CutPrefix(name, p.Context+"/")
}

// Reads tells whether the builder itself reads the file, or something in the
// folder, of this name.
func (p Place) Reads(name string) bool {
	for _, read := range append(p.IgnoreFiles(), p.Dockerfile) {
		if read == name || strings.HasPrefix(read, name+"/") {
			return true
		}
	}
	return false
}
