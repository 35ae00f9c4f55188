package logs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"aorta/internal/fileid"
)

// file is one of a container's log files, held open.
type file struct {
	fd   *os.File
	id   fileid.ID
	nth  int   // rises from file to file
	size int64 // as last seen
	gone bool  // removed by the engine: it lives as long as we hold it
	gap  bool  // there may have been others before it that were never seen
	cut  bool  // emptied by somebody: what was not read of it is lost
}

// place is a spot in the output: a byte of a file.
type place struct {
	file   *file // nil before there is any
	offset int64
}

func (p place) before(q place) bool {
	return p.file.nth < q.file.nth || p.file.nth == q.file.nth && p.offset < q.offset
}

// files are the log files of one container, oldest first. The engine appends to
// the last one, at path. When that is large enough it becomes path.1, path.1
// becomes path.2 and so on, the oldest is removed, and a new file begins.
type files struct {
	path  string
	held  []*file
	seen  int  // files so far
	first bool // the files were looked for before
	full  bool // at the first look there were so many that some may be missing
}

// scan takes in what the engine did since the last look. It costs one call of
// the kernel while the last file only grows.
func (s *files) scan(limit int) error {
	if s.grown() {
		return nil
	}
	found, err := open(s.path)
	if err != nil {
		return err
	}
	if !s.first && len(found) == 0 {
		return fmt.Errorf("there is no log file at %s", s.path)
	}
	if !s.first {
		s.first, s.full = true, len(found) >= limit
	}
	s.merge(found)
	return nil
}

// grown says that the last file is still at its path and no shorter.
func (s *files) grown() bool {
	last := s.last()
	if last == nil {
		return false
	}
	info, err := os.Stat(s.path)
	if err != nil || last.id.Head == "" && info.Size() != last.size {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !strings.HasPrefix(last.id.File, strconv.FormatUint(stat.Ino, 10)+":") || info.Size() < last.size {
		return false
	}
	if info.Size() != last.size && last.id.Head != "" {
		// It may have been emptied and filled again.
		if head, err := fileid.Head(last.fd); err != nil || head != last.id.Head {
			return false
		}
	}
	last.size = info.Size()
	return true
}

// end is where the output ends, as last seen.
func (s *files) end() place {
	if last := s.last(); last != nil {
		return place{last, last.size}
	}
	return place{}
}

func (s *files) last() *file {
	if len(s.held) == 0 {
		return nil
	}
	return s.held[len(s.held)-1]
}

// found is a file as it was found at a path.
type found struct {
	fd     *os.File
	id     fileid.ID
	size   int64
	atPath bool
}

// open opens all files of a container, oldest first. It goes from the newest to
// the oldest name, the way that files go: one that is renamed meanwhile is met
// twice, and none is missed.
func open(path string) ([]found, error) {
	names, err := filepath.Glob(globEscape(path) + ".*")
	if err != nil {
		return nil, fmt.Errorf("list the engine's log files: %w", err)
	}
	var all []found
	// Files come while these are opened: it goes on behind the names that there
	// were, up to where one is missing and its neighbour too. In the middle of a
	// rotation one name is free.
	for i, missing := 0, 0; i <= len(names) || missing < 2; i++ {
		name := path
		if i > 0 {
			name += "." + strconv.Itoa(i)
		}
		fd, id, size, err := fileid.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			missing++
			continue
		}
		if err != nil {
			closeAll(all)
			return nil, err
		}
		missing = 0
		one := found{fd: fd, id: id, size: size, atPath: i == 0}
		if met := slices.IndexFunc(all, func(f found) bool { return f.id.File == one.id.File }); met >= 0 {
			_ = all[met].fd.Close()
			all = slices.Delete(all, met, met+1)
		}
		all = append(all, one)
	}
	slices.Reverse(all)
	return all, nil
}

func closeAll(all []found) {
	for _, f := range all {
		_ = f.fd.Close()
	}
}

// globEscape makes a path a pattern that matches it alone.
func globEscape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// merge compares what was found with what is held.
func (s *files) merge(all []found) {
	last := s.last()
	for _, f := range s.held {
		f.gone = true
	}
	for _, one := range all {
		s.noticeEmptied(one)
	}
	var fresh []found
	for _, one := range all {
		if !s.recognise(one) {
			fresh = append(fresh, one)
		}
	}
	gap := last != nil && last.gone && !last.cut && last.id.Head != ""
	for i, one := range fresh {
		s.held = append(s.held, &file{fd: one.fd, id: one.id, nth: s.seen, size: one.size, gap: gap && i == 0})
		s.seen++
	}
	if last = s.last(); last != nil && last.gone {
		// Removed by somebody: the engine writes on.
		if info, err := last.fd.Stat(); err == nil {
			last.size = info.Size()
		}
	}
}

// noticeEmptied marks the file that another log has taken the place of, in the
// same inode.
func (s *files) noticeEmptied(one found) {
	for _, f := range s.held {
		if f.id.File == one.id.File && !f.continuesIn(one) {
			f.cut = true
		}
	}
}

func (f *file) continuesIn(one found) bool {
	return (f.id.Head == one.id.Head || f.id.Head == "") && one.size >= f.size
}

// recognise says whether a file that was found is held already, or only a copy
// of one that is.
func (s *files) recognise(one found) bool {
	for _, f := range s.held {
		if f.id.File == one.id.File && !f.cut {
			f.id, f.size, f.gone = one.id, one.size, false
			_ = one.fd.Close()
			return true
		}
	}
	for _, f := range s.held {
		if f.id.Head != "" && f.id.Head == one.id.Head && !one.atPath && (f.cut || s.atPath(f)) {
			f.adopt(one)
			return true
		}
	}
	return false
}

// atPath says that the file is still the one that the engine writes to.
func (s *files) atPath(f *file) bool {
	info, err := os.Stat(s.path)
	if err != nil {
		return false
	}
	own, err := f.fd.Stat()
	return err == nil && os.SameFile(info, own)
}

// adopt reads on in a copy, if the original was emptied: whoever copies a log and
// empties it then leaves us the copy.
func (f *file) adopt(one found) {
	if !f.cut || one.size < f.size {
		_ = one.fd.Close()
		return
	}
	_ = f.fd.Close()
	f.fd, f.id, f.size, f.cut, f.gone = one.fd, one.id, one.size, false, false
}

// after is the file that follows one, nil while its first line is not there.
func (s *files) after(f *file) *file {
	at := slices.Index(s.held, f) + 1
	if at >= len(s.held) || s.held[at].id.Head == "" {
		return nil
	}
	return s.held[at]
}

// find is the file with a key.
func (s *files) find(key string) *file {
	id, ok := fileid.Parse(key)
	if !ok {
		return nil
	}
	for _, f := range s.held {
		if f.id == id {
			return f
		}
	}
	// Copied and emptied meanwhile.
	for _, f := range s.held {
		if f.id.Head == id.Head && id.Head != "" {
			return f
		}
	}
	return nil
}

// release lets go of files that the engine has removed and that come before f.
func (s *files) release(f *file) {
	s.held = slices.DeleteFunc(s.held, func(g *file) bool {
		old := g.nth < f.nth && (g.gone || g.cut)
		if old {
			_ = g.fd.Close()
		}
		return old
	})
}

// gone is how many bytes are on disk only because they are held, and the oldest
// of those files. The last file does not count: nothing comes after it.
func (s *files) gone() (held int64, oldest *file) {
	for _, f := range s.held[:max(0, len(s.held)-1)] {
		if !f.gone {
			continue
		}
		if held += f.size; oldest == nil {
			oldest = f
		}
	}
	return held, oldest
}

// forget lets go of a file and gives the one that follows it.
func (s *files) forget(f *file) *file {
	at := slices.Index(s.held, f)
	_ = f.fd.Close()
	s.held = slices.Delete(s.held, at, at+1)
	return s.held[at]
}

func (s *files) close() {
	for _, f := range s.held {
		_ = f.fd.Close()
	}
	s.held, s.path = nil, ""
}
