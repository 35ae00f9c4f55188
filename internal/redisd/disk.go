package redisd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// prepareDisk makes the directories, shows that the data directory takes
// writes, and writes the configuration.
func (s *Server) prepareDisk() error {
	if err := os.MkdirAll(s.cfg.DataDir, 0o700); err != nil {
		return diskError("data directory", s.cfg.DataDir, err)
	}
	if err := os.MkdirAll(s.cfg.RunDir, 0o755); err != nil {
		return diskError("run directory", s.cfg.RunDir, err)
	}
	if err := replaceFile(s.confPath(), []byte(s.conf.file())); err != nil {
		return diskError("data directory", s.cfg.DataDir, err)
	}
	return nil
}

func diskError(what, path string, cause error) error {
	free := "unknown"
	var fs unix.Statfs_t
	if err := unix.Statfs(existing(path), &fs); err == nil {
		free = fmt.Sprint(fs.Bavail * uint64(fs.Bsize))
	}
	return fmt.Errorf("%s %s can't be written: %w (%s bytes free; make room or give access, or choose another directory)",
		what, path, cause, free)
}

// existing is the nearest ancestor that exists.
func existing(path string) string {
	for path != "/" {
		if _, err := os.Stat(path); err == nil {
			break
		}
		path = filepath.Dir(path)
	}
	return path
}

// replaceFile writes a 0600 file in one step: it holds a password or its hash,
// and half of it would be another configuration.
func replaceFile(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(content)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
