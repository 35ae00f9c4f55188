package disk

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// leastFile is what a file counts at least, in bytes: many empty ones fill a disk too.
const leastFile = 4 << 10

// Used is how many bytes of disk everything below some directories takes. It stops
// once it has counted more than enough. It never looks outside of them, whatever
// links lead there, and leaves out what goes away meanwhile.
func Used(ctx context.Context, enough int64, dirs ...string) (int64, error) {
	u := usage{ctx: ctx, enough: enough, seen: map[uint64]bool{}}
	for _, dir := range dirs {
		if err := u.add(dir); err != nil {
			return u.sum, fmt.Errorf("measure %s: %w", dir, err)
		}
	}
	return u.sum, nil
}

type usage struct {
	ctx    context.Context
	enough int64
	sum    int64
	seen   map[uint64]bool // files with several names, by inode
}

func (u *usage) add(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return fs.WalkDir(root.FS(), ".", func(_ string, d fs.DirEntry, err error) error {
		if u.ctx.Err() != nil {
			return context.Cause(u.ctx)
		}
		if err != nil || d == nil {
			return nil // it has gone
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		u.count(info)
		if u.sum > u.enough {
			return fs.SkipAll
		}
		return nil
	})
}

func (u *usage) count(info fs.FileInfo) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || u.seen[st.Ino] {
		return
	}
	if st.Nlink > 1 && !info.IsDir() {
		u.seen[st.Ino] = true
	}
	u.sum += max(st.Blocks*512, leastFile) // blocks are of 512 bytes, whatever the file system's are
}
