package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// groupLimit bounds how many writes share a commit.
const groupLimit = 64

var errClosed = cluster.Unavailable("the database is closed")

// writer runs all writes on one connection. Writes that wait together share
// one commit, each under a savepoint of its own, so that one that fails takes
// nothing of the others with it.
type writer struct {
	db    *gorm.DB
	queue chan *write
	stop  chan struct{}
	done  chan struct{} // closed when loop has ended

	commits atomic.Uint64 // carried out, before any caller hears of its own
	nodes   nodeWrites
}

// write is one write on its way to its commit.
type write struct {
	do      func(tx *gorm.DB) error
	claimed atomic.Bool // by who comes first: the writer that carries it out, or its caller that gives it up
	err     error
	done    chan struct{}
}

func startWriter(db *gorm.DB) *writer {
	w := &writer{db: db, queue: make(chan *write), stop: make(chan struct{}), done: make(chan struct{})}
	w.nodes.watch(db)
	go w.loop() // ended by close
	return w
}

// run passes do to the writer and returns the outcome of its commit. When ctx
// ends before do has begun, run returns at once with the error of ctx, and do
// never runs; once do has begun, run waits for the commit, so that an error of
// ctx always means that nothing was written.
func (w *writer) run(ctx context.Context, do func(tx *gorm.DB) error) error {
	job := &write{do: do, done: make(chan struct{})}
	select {
	case w.queue <- job:
	case <-w.stop:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-job.done:
	case <-ctx.Done():
		if job.claimed.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		<-job.done
	}
	return job.err
}

func (w *writer) close() error {
	close(w.stop)
	<-w.done
	return closeDB(w.db)
}

func (w *writer) loop() {
	defer close(w.done)
	for {
		select {
		case <-w.stop:
			return
		case first := <-w.queue:
			w.commit(w.gather(first))
		}
	}
}

func (w *writer) gather(first *write) []*write {
	group := []*write{first}
	for len(group) < groupLimit {
		select {
		case next := <-w.queue:
			group = append(group, next)
		default:
			return group
		}
	}
	return group
}

func (w *writer) commit(group []*write) {
	err := w.db.Transaction(func(tx *gorm.DB) error {
		for i, job := range group {
			if err := w.one(tx, job, i); err != nil {
				return err
			}
		}
		return nil
	})
	w.commits.Add(1)
	w.nodes.end()
	for _, job := range group {
		if err != nil {
			job.err = translate(err, "commit")
		}
		close(job.done)
	}
}

// one runs a write that is still wanted under its savepoint. Its own error stays with it; the error
// returned is of the whole transaction.
func (w *writer) one(tx *gorm.DB, job *write, i int) error {
	if !job.claimed.CompareAndSwap(false, true) {
		return nil // its caller has given it up
	}
	name := fmt.Sprintf("w%d", i)
	if err := tx.SavePoint(name).Error; err != nil {
		return err
	}
	job.err = guarded(job, tx)
	if job.err == nil {
		return nil
	}
	return tx.RollbackTo(name).Error
}

// guarded keeps a panic in one write from ending the writer, and with it the
// savepoints of its neighbours.
func guarded(job *write, tx *gorm.DB) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.Join(err, fmt.Errorf("write: panic: %v", r))
		}
	}()
	return job.do(tx.Session(&gorm.Session{NewDB: true}))
}

// Commits rises whenever something may have been written: who read at the same
// number has read the same.
func (s *Store) Commits() uint64 { return s.writer.commits.Load() }

// write runs do in the next group commit and codes its error.
func (s *Store) write(ctx context.Context, verb string, do func(tx *gorm.DB) error) error {
	return translate(s.writer.run(ctx, do), verb)
}
