package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"aorta/internal/testkit"
)

func TestUsed_CountsWhatTakesRoom(t *testing.T) {
	write := func(size int) func(dir string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, "f"), make([]byte, size), 0o600) }
	}
	for name, c := range map[string]struct {
		make        func(dir string) error
		least, most int64
	}{
		"nothing": {func(string) error { return nil }, leastFile, leastFile},
		"a file":  {write(1 << 20), 1 << 20, 1<<20 + 4*leastFile},
		"empty files": {func(dir string) error {
			var err error
			for i := range 100 {
				err = errors.Join(err, os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600))
			}
			return err
		}, 101 * leastFile, 101 * leastFile},
		"a file with holes": {func(dir string) error { return errors.Join(write(0)(dir), os.Truncate(filepath.Join(dir, "f"), 1<<40)) }, 2 * leastFile, 4 * leastFile},
		"one file of many names": {func(dir string) error {
			return errors.Join(write(1<<20)(dir), os.Link(filepath.Join(dir, "f"), filepath.Join(dir, "g")), os.Link(filepath.Join(dir, "f"), filepath.Join(dir, "h")))
		}, 1 << 20, 1<<20 + 4*leastFile},
		"a link out": {func(dir string) error { return os.Symlink("/", filepath.Join(dir, "root")) }, 2 * leastFile, 2 * leastFile},
		"a folder in a folder": {func(dir string) error {
			deep := filepath.Join(dir, "a", "b")
			return errors.Join(os.MkdirAll(deep, 0o700), write(1<<20)(deep))
		}, 1<<20 + 3*leastFile, 1<<20 + 8*leastFile},
	} {
		dir := t.TempDir()
		testkit.Must(t, c.make(dir))

		got, err := Used(t.Context(), 1<<40, dir)

		if err != nil || got < c.least || got > c.most {
			t.Errorf("%s: got %d bytes, %v, want %d to %d", name, got, err, c.least, c.most)
		}
	}
}

func TestUsed_Stops(t *testing.T) {
	dir := t.TempDir()
	for i := range 100 {
		testkit.Must(t, os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600))
	}
	ended, end := context.WithCancel(t.Context())
	end()

	enough, err := Used(t.Context(), 10*leastFile, dir)
	_, cut := Used(ended, 1<<40, dir)

	if err != nil || enough != 11*leastFile {
		t.Errorf("got %d bytes, %v, want it to stop one file behind what is enough", enough, err)
	}
	if !errors.Is(cut, context.Canceled) {
		t.Errorf("got %v, want it to end with its context", cut)
	}
}
