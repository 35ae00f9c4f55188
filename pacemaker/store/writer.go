package store

import (
	"context"
	"errors"
	"fmt"

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
}

type write struct {
	ctx  context.Context
	do   func(tx *gorm.DB) error
	err  error
	done chan struct{}
}

func startWriter(db *gorm.DB) *writer {
	w := &writer{db: db, queue: make(chan *write), stop: make(chan struct{}), done: make(chan struct{})}
	go w.loop() // ended by close
	return w
}

// run hands do to the writer and waits for its commit. A write that the
// writer has taken is carried out even when ctx ends; the error then says
// only that nobody waited.
func (w *writer) run(ctx context.Context, do func(tx *gorm.DB) error) error {
	job := &write{ctx: ctx, do: do, done: make(chan struct{})}
	select {
	case w.queue <- job:
	case <-w.stop:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	<-job.done
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
	for _, job := range group {
		if err != nil {
			job.err = translate(err, "commit")
		}
		close(job.done)
	}
}

// one runs a write under its savepoint. Its own error stays with it; the error
// returned is of the whole transaction.
func (w *writer) one(tx *gorm.DB, job *write, i int) error {
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

// write runs do in the next group commit and codes its error.
func (s *Store) write(ctx context.Context, verb string, do func(tx *gorm.DB) error) error {
	return translate(s.writer.run(ctx, do), verb)
}
