package build

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"aorta/heart/docker/dockerfile"
	"aorta/pacemaker/cluster"
)

// Limits bound a source, so that it can't fill the disk.
type Limits struct {
	Entries int   // files, folders and links
	Bytes   int64 // of all files together, unpacked
}

// DefaultLimits apply when a builder sets none.
var DefaultLimits = Limits{Entries: 100_000, Bytes: 2 << 30}

// maxDeclared is the size limit of the files that are read here, such as Procfile
// and .dockerignore, in bytes.
const maxDeclared = 64 << 10

// maxPadding bounds what is read after the end of a tar, in bytes.
const maxPadding = 1 << 20

// filter copies the content of a tar's files, one behind the other, and refuses
// unsafe entries.
type filter struct {
	limits Limits
	seen   int
	bytes  int64 // of all files so far, which is where the next begins
	found  checked
	out    io.Writer
}

// filterSource checks the source, a tar or a gzipped one, and writes the content
// of its files to out.
func filterSource(in io.Reader, out io.Writer, limits Limits) (checked, error) {
	f := &filter{limits: limits, out: out}
	buffered := bufio.NewReader(in)
	in = buffered
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return f.found, cluster.Invalid("source", "is not a gzip file: %v", err)
		}
		in = unzipped
	}
	r := tar.NewReader(in)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f.found, cluster.Invalid("source", "is not a readable tar: %v", err)
		}
		if err := f.entry(h, r); err != nil {
			return f.found, err
		}
	}
	if f.seen == 0 {
		return f.found, cluster.Invalid("source", "is empty")
	}
	// Tars are padded after their end; the sender must be able to write that.
	_, _ = io.CopyN(io.Discard, in, maxPadding)
	return f.found, nil
}

func (f *filter) entry(h *tar.Header, body io.Reader) error {
	// Every entry counts, since those without effect take time too.
	f.seen++
	if f.seen > f.limits.Entries {
		return cluster.Invalid("source", "has more than %d files; leave out what the build does not need", f.limits.Entries)
	}
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil // git's comment with the commit
	}
	file, err := cleanFile(h)
	if err != nil || file.Path == "." {
		return err
	}
	file.At = f.bytes
	if f.bytes += file.Size; f.bytes > f.limits.Bytes {
		return cluster.Invalid("source", "is larger than %s, at %s; leave out what the build does not need", cluster.Bytes(f.limits.Bytes), quote(h.Name))
	}
	f.found.entries = append(f.found.entries, entry{File: file})
	into, err := f.target(file)
	if err != nil || !file.Mode.IsRegular() || file.Same != "" {
		return err
	}
	return spoolError(h.Name, f.content(file, body, into))
}

// content copies a file's content, and keeps it in into unless that is nil.
func (f *filter) content(file dockerfile.File, body io.Reader, into *[]byte) error {
	if into == nil && file.Size > maxPointer {
		_, err := io.CopyN(f.out, body, file.Size)
		return unexpected(err)
	}
	data := make([]byte, file.Size)
	if _, err := io.ReadFull(body, data); err != nil {
		return unexpected(err)
	}
	if into != nil {
		*into = data
	}
	f.found.entries[len(f.found.entries)-1].pointer = isPointer(data)
	_, err := f.out.Write(data)
	return err
}

// unexpected is the error of a file that is shorter than its header says.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
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

// target returns where to keep the content of a file in the root; nil if it is
// not needed.
func (f *filter) target(file dockerfile.File) (*[]byte, error) {
	var into *[]byte
	switch file.Path {
	case "Procfile":
		into = &f.found.procfile
	case "aorta.yml":
		into = &f.found.manifest
	case "app.json":
		into = &f.found.appJSON
	default:
		return nil, nil
	}
	return into, checkDeclared(file)
}

// checkDeclared refuses what can't be read as a short text.
func checkDeclared(file dockerfile.File) error {
	if !file.Mode.IsRegular() || file.Same != "" {
		return cluster.Invalid(file.Path, "is a link; replace it by the file itself")
	}
	if file.Size > maxDeclared {
		return cluster.Invalid(file.Path, "is %d bytes long; the limit is %d", file.Size, maxDeclared)
	}
	return nil
}

// cleanFile returns a file for the engine, with a clean name, permission bits
// only and no owner. It is named "." for the root itself.
func cleanFile(h *tar.Header) (dockerfile.File, error) {
	name, ok := localName(h.Name)
	if !ok {
		return dockerfile.File{}, cluster.Invalid("source", "entry %s leads out of the source; names must be relative and without ..", quote(h.Name))
	}
	file := dockerfile.File{Path: name, Mode: fs.FileMode(h.Mode & 0o777), ModTime: h.ModTime}
	switch h.Typeflag {
	case tar.TypeReg: // the reader converts the old form
		file.Size = h.Size
	case tar.TypeDir:
		file.Mode |= fs.ModeDir
	case tar.TypeSymlink:
		// An absolute target is a path of the image.
		if target := path.Join(path.Dir(name), h.Linkname); !path.IsAbs(h.Linkname) && !staysInside(target) {
			return file, cluster.Invalid("source", "link %s points out of the source, to %s", quote(h.Name), quote(h.Linkname))
		}
		file.Mode |= fs.ModeSymlink
		file.Link = h.Linkname
	case tar.TypeLink:
		target, ok := localName(h.Linkname)
		if !ok || target == "." {
			return file, cluster.Invalid("source", "link %s points out of the source, to %s", quote(h.Name), quote(h.Linkname))
		}
		file.Same = target
	default:
		return file, cluster.Invalid("source", "entry %s is neither file, folder nor link; devices and pipes are not allowed", quote(h.Name))
	}
	return file, nil
}

// localName cleans an entry's name; ok says that it is inside the source.
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

func quote(name string) string { return fmt.Sprintf("%q", cluster.Clip(name)) }
