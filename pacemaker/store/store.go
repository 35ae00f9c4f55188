// Package store keeps the cluster's state in SQL. It is the only package that
// knows SQL or gorm: rows turn into the vocabulary's types here, and errors
// into its coded errors. Its SQL is portable; what differs between databases is
// behind dialect, with a folder for each.
//
// Writes go through one connection that commits in groups; reads have a pool
// of their own and never wait for a writer. It decides nothing: what may
// follow what is asked of package cluster.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"aorta/internal/seal"
)

// Config says where the database is.
type Config struct {
	Dir     string // directory of the database and its lock
	Sealer  *seal.Sealer
	Log     *slog.Logger
	Now     func() time.Time // nil: the wall clock
	Readers int              // connections for reading; 0: 4
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	read   *gorm.DB
	writer *writer
	lock   io.Closer
	sealer *seal.Sealer
	now    func() time.Time
	nodes  nodeList

	closing sync.Once
	closed  error // what Close gave
}

// Open takes the database's lock, checks its integrity, migrates it and starts
// its writer. It refuses a database that another pacemaker holds, that fails
// its check, or whose schema is newer than this program.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	d := dialectOf(cfg)
	lock, err := d.Lock()
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, cfg, d)
	if err != nil {
		_ = lock.Close()
		return nil, err
	}
	s.lock = lock
	return s, nil
}

func open(ctx context.Context, cfg Config, d dialect) (*Store, error) {
	write, err := connect(d, d.Writer(), 1)
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, write, d); err != nil {
		_ = closeDB(write)
		return nil, err
	}
	readers := cfg.Readers
	if readers == 0 {
		readers = 4
	}
	read, err := connect(d, d.Reader(), readers)
	if err != nil {
		_ = closeDB(write)
		return nil, err
	}
	now := cfg.Now
	if now == nil {
		now = time.Now
	}
	return &Store{read: read, writer: startWriter(write), sealer: cfg.Sealer, now: now}, nil
}

// Close ends the writer after the writes it has taken, closes the pools and
// gives the lock back. Closing again does nothing.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.closed = errors.Join(s.writer.close(), closeDB(s.read))
		_ = s.lock.Close()
	})
	return s.closed
}

// Ping says whether the database answers reads.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.read.WithContext(ctx).Raw("SELECT 1").Scan(&one).Error; err != nil {
		return translate(err, "ask the database")
	}
	return nil
}

func connect(d dialect, dialector gorm.Dialector, conns int) (*gorm.DB, error) {
	db, err := gorm.Open(dialector, &gorm.Config{
		Logger:                 logger.Discard, // errors are returned, and logged once by who asked
		SkipDefaultTransaction: true,
		PrepareStmt:            true,
		TranslateError:         true,
	})
	if err != nil {
		return nil, translate(err, fmt.Sprintf("open the database %s", d))
	}
	raw, err := db.DB()
	if err != nil {
		return nil, translate(err, fmt.Sprintf("open the database %s", d))
	}
	raw.SetMaxOpenConns(conns)
	raw.SetMaxIdleConns(conns)
	return db, nil
}

func closeDB(db *gorm.DB) error {
	raw, err := db.DB()
	if err != nil {
		return err
	}
	return raw.Close()
}

func prepare(ctx context.Context, db *gorm.DB, d dialect) error {
	raw, err := db.DB()
	if err != nil {
		return fmt.Errorf("open the database %s: %w", d, err)
	}
	if err := d.Check(ctx, raw); err != nil {
		return err
	}
	if err := migrate(ctx, raw, d); err != nil {
		return err
	}
	return checkWritable(ctx, db, d)
}

// checkWritable finds out at the start that a database may only be read: some
// open all the same, and only the first write fails.
func checkWritable(ctx context.Context, db *gorm.DB, d dialect) error {
	if err := db.WithContext(ctx).Exec("DELETE FROM settings WHERE false").Error; err != nil {
		return fmt.Errorf("open the database %s for writing (see to its owner, its mode and its disk): %w", d, err)
	}
	return nil
}
