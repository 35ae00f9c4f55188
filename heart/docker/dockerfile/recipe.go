package dockerfile

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// Recipe is one build of an image.
type Recipe struct {
	Dockerfile string      // its path in the source, such as docker/Dockerfile.prod
	Text       []byte      // its content
	Files      []File      // the context, without what its ignore file leaves out
	Content    io.ReaderAt // has the files' content, each where File.At says

	Tag     string
	Labels  map[string]string
	Target  string            // the stage to build; the last one when empty
	Args    map[string]string // build args: they show in the image's history
	Secrets map[string][]byte // by id, for RUN --mount=type=secret; BuildKit alone
	Owner   string            // whose cache mounts are used; others can't reach them

	Memory     int64   // bytes each step may use; not enforced with an engine on another machine whose BuildKit can't
	CPUs       float64 // cores each step may use, likewise
	AlwaysPull bool    // pull base images even if they are here

	Guard Guard // decides what may come from elsewhere; nil: all

	Line func(string) // gets the output, line by line
	Step func(Step)   // is told of each step that begins; may be nil
}

// Guard decides what a build may take from elsewhere, before the engine fetches
// it. Its errors are for people.
type Guard interface {
	// URL judges what the engine would fetch by itself, such as a repository, by
	// its address.
	URL(ctx context.Context, url string) error
	// Fetch gets a file over HTTP, so that the engine does not.
	Fetch(ctx context.Context, url string) (Fetched, error)
	// Registry judges where an image would come from, before it is asked for.
	Registry(ctx context.Context, ref string) error
	// Image judges an image by its labels.
	Image(ref string, labels map[string]string) error
}

// Fetched is a file that came over HTTP; close its content.
type Fetched struct {
	Content Content
	Size    int64
	ModTime time.Time // zero if its server did not say
}

// Content can be read from any place.
type Content interface {
	io.ReaderAt
	io.Closer
}

// Step says how far a build is.
type Step struct {
	N, Of  int    // from 1
	Name   string // such as RUN make
	Cached int    // how many were taken from the cache so far
}

// File is one file, folder or link of a context.
type File struct {
	Path    string      // relative and clean, with slashes
	Mode    fs.FileMode // its type (regular, folder or symbolic link) and permission bits
	ModTime time.Time
	Size    int64  // of a regular file
	At      int64  // where its content begins in Recipe.Content
	Link    string // what a symbolic link points to
	Same    string // the path of the file that a hard link stands for; then Size and At are unused
}

// CPUPeriod is the period that CPUs are measured in, in microseconds.
const CPUPeriod = 100_000

// CPUQuota is the processor time of a step in each period, in microseconds.
func (r Recipe) CPUQuota() int64 { return int64(r.CPUs * CPUPeriod) }

// Report tells Step of a step.
func (r Recipe) Report(s Step) {
	if r.Step != nil {
		r.Step(s)
	}
}

// Failed means that a step of the Dockerfile failed: the app's fault, not the
// engine's.
type Failed struct {
	Step    string // the instruction, such as RUN make; empty before the first
	Message string
	Code    int // exit code of the step's command; 0 if the failure was no command's
}

// Error names the step and its cause.
func (f *Failed) Error() string {
	if f.Step == "" {
		return f.Message
	}
	return fmt.Sprintf("%s: %s", f.Step, f.Message)
}
