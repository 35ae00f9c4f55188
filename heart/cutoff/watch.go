package cutoff

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"aorta/internal/pause"
)

// watch is the watchdog of one directory.
type watch struct {
	dir, boot string
	ender     *Ender
	contact   Contact // that was read last
}

// Watch kills what is held in a directory whenever the pacemaker was not reached for too
// long, and all of it when ctx ends, as when the node's daemons are stopped: nobody would
// end it later. It returns once it has, or when the directory, which has to be there, is gone.
func Watch(ctx context.Context, dir string, log *slog.Logger) error {
	boot, err := bootID()
	if err != nil {
		return err
	}
	w := &watch{dir: dir, boot: boot, ender: NewEnder(dir, log)}
	w.first(func() { pause.For(ctx, killEvery) })
	return w.run(ctx)
}

func (w *watch) run(ctx context.Context) error {
	for {
		if _, err := os.Stat(w.dir); errors.Is(err, os.ErrNotExist) {
			w.ender.end("its record is gone")
			return nil
		}
		_ = w.read() // else the one of before stands, and runs out
		if !pause.For(ctx, w.ender.Look(w.contact)) {
			w.ender.end(toldToEnd)
			return nil
		}
	}
}

// firstTries to read a contact take a second.
const firstTries = int(watchEvery / killEvery)

// first reads the first contact, again for as long as it is being written, or the machine is
// short of something: there is none of before to go by.
func (w *watch) first(wait func()) {
	for tries := 0; w.read() != nil && tries < firstTries; tries++ {
		wait()
	}
}

func (w *watch) read() error {
	c, err := readContact(w.dir, w.boot)
	if err == nil {
		w.contact = c
	}
	return err
}
