package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// downTimeout bounds the clean-up after what failed.
const downTimeout = time.Minute

// Down takes away all that the lab has made, whoever made it and however far that
// came. Its directory goes too.
func (l *Lab) Down(ctx context.Context) error {
	_, unlock, err := l.lock(ctx)
	if errors.Is(err, ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.group().kill(ctx); err != nil {
		return err
	}
	for _, h := range l.Hosts {
		if err := errors.Join(h.forget(), removeAll(h.Disk())); err != nil {
			return err
		}
	}
	if err := errors.Join(removeAll(l.runDir()), l.group().remove(ctx)); err != nil {
		return err
	}
	return l.clear()
}

// clear removes what is left in the lab's directory, the record last but for the lock.
func (l *Lab) clear() error {
	for _, name := range []string{"client", filepath.Base(recordFile(l.Dir)), "lock"} {
		if err := os.RemoveAll(filepath.Join(l.Dir, name)); err != nil {
			return fmt.Errorf("remove the lab: %w", err)
		}
	}
	err := os.Remove(l.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTEMPTY) {
		return fmt.Errorf("remove the lab: %w", err)
	}
	return nil
}
