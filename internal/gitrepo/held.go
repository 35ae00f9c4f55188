package gitrepo

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Held names the operations that hold a commit. It reads what git keeps, a file
// for each ref or one for many, since it is asked of all repositories at once.
// A repository that was never made holds nothing.
func (r Repo) Held() ([]string, error) {
	loose, err := os.ReadDir(filepath.Join(r.Dir, holdPrefix))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the holds of %s: %w", r.Dir, err)
	}
	var ops []string
	for _, f := range loose {
		ops = append(ops, f.Name())
	}
	packed, err := os.Open(filepath.Join(r.Dir, "packed-refs"))
	if errors.Is(err, fs.ErrNotExist) {
		return ops, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the holds of %s: %w", r.Dir, err)
	}
	defer func() { _ = packed.Close() }()
	lines := bufio.NewScanner(packed)
	for lines.Scan() {
		if _, op, ok := strings.Cut(lines.Text(), " "+holdPrefix); ok {
			ops = append(ops, op)
		}
	}
	return ops, lines.Err()
}
