package build

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"syscall"

	"aorta/pacemaker/cluster"
)

// Limits bound a source. They are hit before the disk is.
type Limits struct {
	Entries int   // files, folders and links
	Bytes   int64 // of all files together, unpacked
}

// DefaultLimits are those of a builder that sets none.
var DefaultLimits = Limits{Entries: 100_000, Bytes: 2 << 30}

// maxDeclared is the size limit of Procfile, aorta.yml and app.json, in bytes.
const maxDeclared = 64 << 10

// maxPadding bounds what is read behind the end of a tar, in bytes.
const maxPadding = 1 << 20

// filter copies a tar into a file for the engine, entry by entry, and refuses
// what has no place in a source.
type filter struct {
	limits  Limits
	entries int
	bytes   int64
	found   declared
}

// filterSource checks the source (a tar, or one in gzip) and writes what is
// good to out.
func filterSource(in io.Reader, out io.Writer, limits Limits) (declared, error) {
	f := &filter{limits: limits}
	buffered := bufio.NewReader(in)
	in = buffered
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return f.found, cluster.Invalid("source", "is not a gzip file: %v", err)
		}
		in = unzipped
	}
	r, w := tar.NewReader(in), tar.NewWriter(out)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f.found, cluster.Invalid("source", "is not a readable tar: %v", err)
		}
		if err := f.entry(h, r, w); err != nil {
			return f.found, err
		}
	}
	if f.entries == 0 {
		return f.found, cluster.Invalid("source", "is empty")
	}
	// Tars are padded behind their end; who sends it must not find us gone.
	_, _ = io.CopyN(io.Discard, in, maxPadding)
	return f.found, w.Close()
}

func (f *filter) entry(h *tar.Header, body io.Reader, w *tar.Writer) error {
	// Counted before anything is left out: entries without effect take time too.
	f.entries++
	if f.entries > f.limits.Entries {
		return cluster.Invalid("source", "has more than %d files; leave out what the build does not need", f.limits.Entries)
	}
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil // git's comment with the commit
	}
	clean, err := cleanHeader(h)
	if err != nil || clean == nil {
		return err
	}
	if f.bytes += clean.Size; f.bytes > f.limits.Bytes {
		return cluster.Invalid("source", "is larger than %s, at %s; leave out what the build does not need", cluster.Bytes(f.limits.Bytes), quote(h.Name))
	}
	if err := w.WriteHeader(clean); err != nil {
		return fmt.Errorf("spool %s: %w", quote(h.Name), err)
	}
	if clean.Typeflag != tar.TypeReg {
		return nil
	}
	into, err := f.declared(clean)
	if err != nil {
		return err
	}
	if into == nil {
		_, err = io.Copy(w, body)
		return spoolError(h.Name, err)
	}
	data, err := io.ReadAll(io.LimitReader(body, maxDeclared))
	if err == nil {
		*into = data
		_, err = w.Write(data)
	}
	return spoolError(h.Name, err)
}

func spoolError(name string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return cluster.Invalid("source", "ends in the middle of %s", quote(name))
	}
	if err != nil {
		return fmt.Errorf("spool %s: %w", quote(name), err)
	}
	return nil
}

// declared says where the content of a file in the root is wanted, if it is.
func (f *filter) declared(h *tar.Header) (*[]byte, error) {
	var into *[]byte
	switch h.Name {
	case "Dockerfile":
		f.found.dockerfile = true
		return nil, nil
	case "Procfile":
		into = &f.found.procfile
	case "aorta.yml":
		into = &f.found.manifest
	case "app.json":
		into = &f.found.appJSON
	default:
		return nil, nil
	}
	if h.Size > maxDeclared {
		return nil, cluster.Invalid(h.Name, "is %d bytes long; the limit is %d", h.Size, maxDeclared)
	}
	return into, nil
}

// cleanHeader makes the header that the engine gets: a plain name, a plain
// mode, nobody's file. It gives nil for the root itself.
func cleanHeader(h *tar.Header) (*tar.Header, error) {
	name, ok := localName(h.Name)
	if !ok {
		return nil, cluster.Invalid("source", "entry %s leads out of the source; names must be relative and without ..", quote(h.Name))
	}
	if name == "." {
		return nil, nil
	}
	clean := &tar.Header{Typeflag: h.Typeflag, Name: name, Mode: h.Mode & 0o777, ModTime: h.ModTime}
	switch h.Typeflag {
	case tar.TypeReg: // the reader turns the old form of it into this one
		clean.Size = h.Size
	case tar.TypeDir:
		clean.Name += "/"
	case tar.TypeSymlink:
		target := path.Join(path.Dir(name), h.Linkname)
		if path.IsAbs(h.Linkname) || !staysInside(target) {
			return nil, cluster.Invalid("source", "link %s points out of the source, to %s", quote(h.Name), quote(h.Linkname))
		}
		clean.Linkname = h.Linkname
	case tar.TypeLink:
		target, ok := localName(h.Linkname)
		if !ok || target == "." {
			return nil, cluster.Invalid("source", "link %s points out of the source, to %s", quote(h.Name), quote(h.Linkname))
		}
		clean.Linkname = target
	default:
		return nil, cluster.Invalid("source", "entry %s is neither file, folder nor link; devices and pipes are not taken", quote(h.Name))
	}
	return clean, nil
}

// localName makes an entry's name plain; ok says that it stays in the source.
func localName(name string) (string, bool) {
	if name == "" || path.IsAbs(name) || strings.ContainsRune(name, 0) || len(name) > 4096 {
		return "", false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", false
		}
	}
	return path.Clean(name), true
}

func staysInside(target string) bool {
	return target != ".." && !strings.HasPrefix(target, "../") && !strings.ContainsRune(target, 0)
}

func quote(name string) string { return fmt.Sprintf("%q", clip(name)) }

// witness remembers how a stream broke, which a tar's reader tells no
// differently from a bad tar.
type witness struct {
	in  io.Reader
	err error
}

func (w *witness) Read(p []byte) (int, error) {
	n, err := w.in.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// spoolCause tells errors that another attempt may cure from bad sources.
func spoolCause(err error, stream *witness, file string) error {
	switch {
	case err == nil:
		return nil
	case stream.err != nil:
		return &cluster.Error{Code: cluster.CodeUnavailable, Message: fmt.Sprintf("the source stopped coming: %v", stream.err), Err: stream.err}
	case errors.Is(err, syscall.ENOSPC):
		return &cluster.Error{Code: cluster.CodeUnavailable, Message: fmt.Sprintf("the disk is full under %s; free space there", file), Err: err}
	}
	return err
}

// spool is a temporary file with a checked source.
type spool struct{ *os.File }

func newSpool(dir string) (spool, error) {
	f, err := os.CreateTemp(dir, "source-*.tar")
	if err != nil {
		return spool{}, fmt.Errorf("make a spool for the source: %w", err)
	}
	return spool{f}, nil
}

// drop closes and removes the file. The engine's client has closed it already
// when it was sent.
func (s spool) drop() error {
	err := s.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	return errors.Join(err, os.Remove(s.Name()))
}
