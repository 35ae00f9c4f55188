package logstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
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

	done    chan struct{} // closed by Close
	sealed  chan struct{} // wakes Run: there is something to compress
	reading chan struct{} // holds one for each page that is being read
	pages   pages

	mu   sync.Mutex // guards apps and shut; never held while an app's lock is taken
	apps map[cluster.ID]*app
	shut bool
}

// maxReading is how many pages are read at a time, of all apps.
const maxReading = 2

// Open opens the store in dir and makes the directory if it is not there. Each
// app's files are looked at when the app is first asked for.
func Open(dir string, cfg Config, log *slog.Logger) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open log store: %w", err)
	}
	return &Store{
		dir: dir, cfg: cfg.orDefault(), log: log,
		done: make(chan struct{}), sealed: make(chan struct{}, 1), reading: make(chan struct{}, maxReading),
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
	var errs []error
	for _, a := range s.known() {
		errs = append(errs, a.shut())
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

// Append stores parts of instances' output. An instance's lines are stored
// together with the position that they move, or not at all; a part is stored
// when it goes on where its instance's stored output ends, and the positions of
// those that don't are returned. So a batch may be sent until it is accepted.
// A full disk is unavailable; a part without an app's id is invalid, and so is
// one whose lines move no position.
func (s *Store) Append(ctx context.Context, parts []cluster.LogPart) ([]cluster.LogPosition, error) {
	order, byApp, err := split(parts)
	if err != nil {
		return nil, err
	}
	var refused []cluster.LogPosition
	for _, id := range order {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("append log lines: %w", err)
		}
		for some := range slices.Chunk(byApp[id], maxCommit) {
			more, err := s.appendTo(id, some)
			if err != nil {
				return nil, err
			}
			refused = append(refused, more...)
		}
	}
	return refused, nil
}

// split sorts parts by app.
func split(parts []cluster.LogPart) (order []cluster.ID, byApp map[cluster.ID][]cluster.LogPart, err error) {
	byApp = map[cluster.ID][]cluster.LogPart{}
	for i, p := range parts {
		if err := check(i, p); err != nil {
			return nil, nil, err
		}
		if _, seen := byApp[p.App]; !seen {
			// The id becomes a directory's name.
			if _, err := cluster.ParseID(string(p.App)); err != nil {
				return nil, nil, cluster.Invalid(fmt.Sprintf("parts[%d].app", i), "%.80q is not an id", p.App)
			}
			order = append(order, p.App)
		}
		byApp[p.App] = append(byApp[p.App], p)
	}
	return order, byApp, nil
}

func (s *Store) appendTo(id cluster.ID, parts []cluster.LogPart) (refused []cluster.LogPosition, err error) {
	for {
		a, err := s.app(id)
		if err != nil {
			return nil, err
		}
		err = a.withLock(func() (err error) {
			refused, err = a.append(parts)
			return err
		})
		if !errors.Is(err, errForgotten) {
			return refused, err
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
		a.changed.Notify()
		// Still under the app's lock, so that the directory is not loaded
		// while it is being removed.
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.apps, id)
		return nil
	})
}

// Kept gives the ids of all apps that have a directory.
func (s *Store) Kept() ([]cluster.ID, error) {
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
