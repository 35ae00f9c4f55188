package logstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"aorta/pacemaker/cluster"
)

// errClosed is the answer of a store that is closing.
var errClosed = cluster.Unavailable("the log store is closed; try again in a moment")

// Store keeps the logs of all apps under one directory. Its methods may be
// called from any goroutine. Run does what is not done at once.
type Store struct {
	dir string
	cfg Config
	log *slog.Logger

	done      chan struct{} // closed by Close
	sealed    chan struct{} // wakes Run: there is something to compress
	followers sync.WaitGroup

	mu   sync.Mutex // guards apps and shut; never held while an app's lock is taken
	apps map[cluster.ID]*app
	shut bool
}

// Open opens the store in dir and makes the directory if it is not there. Each
// app's files are looked at when the app is first asked for.
func Open(dir string, cfg Config, log *slog.Logger) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open log store: %w", err)
	}
	return &Store{
		dir: dir, cfg: cfg.orDefault(), log: log,
		done: make(chan struct{}), sealed: make(chan struct{}, 1),
		apps: map[cluster.ID]*app{},
	}, nil
}

// Close ends all followers and closes the files. Run must have ended.
func (s *Store) Close() error {
	s.mu.Lock()
	already := s.shut
	s.shut = true
	s.mu.Unlock()
	if already {
		return nil
	}
	close(s.done)
	s.followers.Wait()
	var errs []error
	for _, a := range s.known() {
		errs = append(errs, a.letGo())
	}
	return errors.Join(errs...)
}

func (s *Store) isClosed() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// Append stores a batch. Lines of one instance keep their order. Each app's
// part is stored whole or not at all; what an instance's last batch held
// already is not stored again, so a batch may be sent until it is accepted.
// A full disk is unavailable, a line without an app's id is invalid.
func (s *Store) Append(ctx context.Context, lines []cluster.LogLine) error {
	order, parts, err := byApp(lines)
	if err != nil {
		return err
	}
	for _, id := range order {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("append log lines: %w", err)
		}
		if err := s.appendTo(id, parts[id]); err != nil {
			return err
		}
	}
	return nil
}

func byApp(lines []cluster.LogLine) (order []cluster.ID, parts map[cluster.ID][]cluster.LogLine, err error) {
	parts = map[cluster.ID][]cluster.LogLine{}
	for i, l := range lines {
		if _, seen := parts[l.App]; !seen {
			// The id becomes a directory's name.
			if _, err := cluster.ParseID(string(l.App)); err != nil {
				return nil, nil, cluster.Invalid(fmt.Sprintf("lines[%d].app", i), "%.80q is not an id", l.App)
			}
			order = append(order, l.App)
		}
		parts[l.App] = append(parts[l.App], l)
	}
	return order, parts, nil
}

func (s *Store) appendTo(id cluster.ID, lines []cluster.LogLine) error {
	for {
		a, err := s.app(id)
		if err != nil {
			return err
		}
		err = a.withLock(func() error { return a.append(lines) })
		if !errors.Is(err, errForgotten) {
			return err
		}
	}
}

// app finds or makes the state of an app; its files are not touched.
func (s *Store) app(id cluster.ID) (*app, error) {
	if _, err := cluster.ParseID(string(id)); err != nil {
		return nil, cluster.Invalid("app", "%.80q is not an id", id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return nil, errClosed
	}
	a := s.apps[id]
	if a == nil {
		a = newApp(s, id)
		s.apps[id] = a
	}
	return a, nil
}

// known gives all apps that were asked for so far.
func (s *Store) known() []*app {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*app, 0, len(s.apps))
	for _, a := range s.apps {
		list = append(list, a)
	}
	return list
}

// Forget deletes all lines of an app and ends its followers. Lines that still
// come in make a new log, which is not the app's any more.
func (s *Store) Forget(_ context.Context, id cluster.ID) error {
	a, err := s.app(id)
	if err != nil {
		return err
	}
	return a.withLock(func() error {
		if a.forgotten {
			return nil
		}
		if err := a.closeFile(); err != nil {
			return err
		}
		if err := os.RemoveAll(a.dir); err != nil {
			return fmt.Errorf("forget the log of app %s: %w", id, err)
		}
		a.forgotten, a.segments = true, nil
		a.announce()
		// Still under the app's lock, so that nobody loads the directory
		// while it is being removed.
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.apps, id)
		return nil
	})
}

// onDisk gives the ids of all apps that have a directory.
func (s *Store) onDisk() ([]cluster.ID, error) {
	dirs, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list log store: %w", err)
	}
	var ids []cluster.ID
	for _, d := range dirs {
		if id, err := cluster.ParseID(d.Name()); err == nil && d.IsDir() {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (s *Store) path(id cluster.ID) string { return filepath.Join(s.dir, string(id)) }
