package gitrepo

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// contents sums a repository up from what git keeps there, without starting git:
// it is asked of all repositories every few minutes.
type contents struct {
	packs     int
	looseRefs int    // that are files of their own
	cruft     bool   // a pack of unreachable objects is kept for its grace
	digest    string // of the packs' names and all refs: changes with each push
}

func (r Repo) contents() (contents, error) {
	var c contents
	sum := sha256.New()
	packs, err := os.ReadDir(r.packDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("list the packs of %s: %w", r.Dir, err)
	}
	for _, f := range packs {
		switch filepath.Ext(f.Name()) {
		case ".pack":
			c.packs++
			_, _ = fmt.Fprintln(sum, f.Name())
		case ".mtimes":
			c.cruft = true
		}
	}
	refs, err := r.looseRefs()
	if err != nil {
		return c, fmt.Errorf("list the refs of %s: %w", r.Dir, err)
	}
	packed, err := os.ReadFile(filepath.Join(r.Dir, "packed-refs"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("read the packed refs of %s: %w", r.Dir, err)
	}
	for _, ref := range refs {
		_, _ = fmt.Fprint(sum, ref)
	}
	sum.Write(packed)
	c.looseRefs, c.digest = len(refs), hex.EncodeToString(sum.Sum(nil))
	return c, nil
}

// looseRefs gives each ref that is a file of its own as "name id\n".
func (r Repo) looseRefs() ([]string, error) {
	var refs []string
	err := filepath.WalkDir(filepath.Join(r.Dir, "refs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(path, ".lock") {
			var id []byte
			id, err = os.ReadFile(path)
			refs = append(refs, path+" "+string(id))
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went meanwhile
		}
		return err
	})
	return refs, err
}

func (r Repo) packDir() string { return filepath.Join(r.Dir, "objects", "pack") }
