package redisd

import (
	"fmt"
	"os"

	"aorta/internal/atomicfile"
	"aorta/internal/disk"
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
	if err := atomicfile.Write(s.confPath(), []byte(s.conf.Load().file()), 0o600); err != nil {
		return diskError("data directory", s.cfg.DataDir, err)
	}
	return nil
}

func diskError(what, path string, cause error) error {
	if disk.Refused(cause) {
		return disk.Explain(path, cause)
	}
	free := "unknown"
	if room, err := disk.At(path); err == nil {
		free = fmt.Sprint(room.Free)
	}
	return fmt.Errorf("%s %s can't be written: %w (%s bytes free; make room or give access, or choose another directory)",
		what, path, cause, free)
}
