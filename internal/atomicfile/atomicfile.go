// Package atomicfile replaces small files so that a reader, and whoever comes
// after a crash, finds the old content or the new and never a part of it. It
// rotates nothing and keeps no old content.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// Write replaces path with data: a temporary file beside it, synced, renamed
// over it, and the directory synced.
func Write(path string, data []byte, mode os.FileMode) error {
	return WriteFunc(path, mode, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteFunc is Write for content that fill writes, buffered.
func WriteFunc(path string, mode os.FileMode, fill func(io.Writer) error) error {
	err := swap(path, mode, fill, (*os.File).Sync)
	if err == nil {
		err = SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Replace is Write without waiting for the disk: for what is made anew after a
// power cut, which may leave the file empty.
func Replace(path string, data []byte, mode os.FileMode) error {
	fill := func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
	if err := swap(path, mode, fill, nil); err != nil {
		return fmt.Errorf("replace %s: %w", path, err)
	}
	return nil
}

func swap(path string, mode os.FileMode, fill func(io.Writer) error, sync func(*os.File) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	buffer := bufio.NewWriter(tmp)
	err = tmp.Chmod(mode)
	if err == nil {
		err = fill(buffer)
	}
	if err == nil {
		err = buffer.Flush()
	}
	if err == nil && sync != nil {
		err = sync(tmp)
	}
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// Symlink makes path a link to target, in place of whatever file it was.
func Symlink(target, path string) error {
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+strconv.Itoa(os.Getpid()))
	_ = os.Remove(tmp) // of a process that was killed
	err := os.Symlink(target, tmp)
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return fmt.Errorf("link %s: %w", path, err)
	}
	return nil
}

// SyncDir makes the names in a directory durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}
