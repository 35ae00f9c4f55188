// Package filechange tells when a file changes, so that quiet files need not be
// looked at. It is for files that a process of this machine writes: what changes
// on another machine's side of a network file system is not told.
package filechange

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// changes is what counts: bytes that were written or cut off, another name, and
// the end of a name or of the file.
const changes = unix.IN_MODIFY | unix.IN_ATTRIB | unix.IN_MOVE_SELF | unix.IN_DELETE_SELF

// Watcher watches files, each for one change.
//
// One change and no more, because the kernel tells each write: a file that is
// written to all the time would cost more than looking at it now and then.
type Watcher struct {
	f *os.File

	// mu guards the rest. It is held while a watch is added, so that its change
	// is not read before it is known whose it is.
	mu  sync.Mutex
	fns map[int32]func() // by watch descriptor
}

// New makes a watcher, which Close ends. The kernel bounds how many there are of
// a user (fs.inotify.max_user_instances).
func New() (*Watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("watch files: %w", err)
	}
	w := &Watcher{f: os.NewFile(uintptr(fd), "inotify"), fns: map[int32]func(){}}
	go w.run() // ends with Close
	return w, nil
}

// Close ends the watches.
func (w *Watcher) Close() error {
	if err := w.f.Close(); err != nil {
		return fmt.Errorf("watch files: %w", err)
	}
	return nil
}

// Once calls changed at the next change of the file at path, from a goroutine of
// the watcher's own, and forgets who asked before for the same file. A change
// before Once returned may be missed: look at the file after it. The kernel bounds how many files a user watches
// (fs.inotify.max_user_watches).
func (w *Watcher) Once(path string, changed func()) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	wd, err := w.add(path)
	if err != nil {
		return fmt.Errorf("watch %s: %w", path, err)
	}
	w.fns[int32(wd)] = changed
	return nil
}

func (w *Watcher) add(path string) (wd int, err error) {
	conn, err := w.f.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("the watcher is closed: %w", err)
	}
	outer := conn.Control(func(fd uintptr) {
		wd, err = unix.InotifyAddWatch(int(fd), path, changes|unix.IN_ONESHOT)
	})
	if outer != nil {
		return 0, fmt.Errorf("the watcher is closed: %w", outer)
	}
	return wd, err
}

// run calls who waits, until Close.
func (w *Watcher) run() {
	buf := make([]byte, 64*(unix.SizeofInotifyEvent+unix.NAME_MAX+1))
	for {
		n, err := w.f.Read(buf)
		if err != nil {
			return
		}
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			event := buf[at:]
			for _, changed := range w.called(int32(binary.NativeEndian.Uint32(event)), binary.NativeEndian.Uint32(event[4:])) {
				changed()
			}
			at += unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(event[12:]))
		}
	}
}

// called takes out whom an event is for: all, when the kernel had no room for
// what happened.
func (w *Watcher) called(wd int32, mask uint32) []func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	var fns []func()
	if mask&unix.IN_Q_OVERFLOW != 0 {
		for _, fn := range w.fns {
			fns = append(fns, fn)
		}
		clear(w.fns)
		return fns
	}
	if fn := w.fns[wd]; fn != nil && mask&unix.IN_IGNORED == 0 {
		fns = append(fns, fn)
		delete(w.fns, wd)
	}
	return fns
}
