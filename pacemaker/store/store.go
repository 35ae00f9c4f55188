// Package store keeps the cluster's state in SQL. It is the only package that
// knows SQL or gorm: rows turn into the vocabulary's types here, and errors
// into its coded errors.
//
// Writes go through one connection that commits in groups; reads have a pool
// of their own and never wait for a writer. It decides nothing: what may
// follow what is asked of package cluster.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"aorta/internal/seal"
)

// Config says where the database is.
type Config struct {
	Dir     string // directory of aorta.db and its lock
	Sealer  *seal.Sealer
	Log     *slog.Logger
	Now     func() time.Time // nil: the wall clock
	Readers int              // connections for reading; 0: 4
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	read   *gorm.DB
	writer *writer
	lock   *lock
	sealer *seal.Sealer
	now    func() time.Time
	path   string

	closing sync.Once
	closed  error // what Close gave
}

// Open takes the database's lock, checks its integrity, migrates it and starts
// its writer. It refuses a database that another pacemaker holds, that fails
// its check, or whose schema is newer than this program.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the database: %w", err)
	}
	path := filepath.Join(cfg.Dir, "aorta.db")
	lock, err := takeLock(path + ".lock")
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, cfg, path)
	if err != nil {
		lock.release()
		return nil, err
	}
	s.lock = lock
	return s, nil
}

func open(ctx context.Context, cfg Config, path string) (*Store, error) {
	write, err := connect(path, writeDSN(path), 1)
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, write, path); err != nil {
		_ = closeDB(write)
		return nil, err
	}
	readers := cfg.Readers
	if readers == 0 {
		readers = 4
	}
	read, err := connect(path, readDSN(path), readers)
	if err != nil {
		_ = closeDB(write)
		return nil, err
	}
	now := cfg.Now
	if now == nil {
		now = time.Now
	}
	return &Store{read: read, writer: startWriter(write), sealer: cfg.Sealer, now: now, path: path}, nil
}

// Close ends the writer after the writes it has taken, closes the pools and
// gives the lock back. Closing again does nothing.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.closed = errors.Join(s.writer.close(), closeDB(s.read))
		s.lock.release()
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

func connect(path, dsn string, conns int) (*gorm.DB, error) {
	db, err := gorm.Open(dialector(dsn), &gorm.Config{
		Logger:                 logger.Discard, // errors are returned, and logged once by who asked
		SkipDefaultTransaction: true,
		PrepareStmt:            true,
		TranslateError:         true,
	})
	if isDamage(err) {
		return nil, damaged(path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the database %s: %w", path, err)
	}
	raw, err := db.DB()
	if err != nil {
		return nil, fmt.Errorf("open the database %s: %w", path, err)
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

func prepare(ctx context.Context, db *gorm.DB, path string) error {
	raw, err := db.DB()
	if err != nil {
		return fmt.Errorf("open the database %s: %w", path, err)
	}
	if err := checkIntegrity(ctx, raw, path); err != nil {
		return err
	}
	if err := migrate(ctx, raw, path); err != nil {
		return err
	}
	return checkWritable(ctx, db, path)
}

// checkWritable finds out at the start that a file may only be read: SQLite
// opens it all the same, and only the first write fails.
func checkWritable(ctx context.Context, db *gorm.DB, path string) error {
	if err := db.WithContext(ctx).Exec("DELETE FROM settings WHERE false").Error; err != nil {
		return fmt.Errorf("open the database %s for writing (see to its owner, its mode and its disk): %w", path, err)
	}
	return nil
}

func checkIntegrity(ctx context.Context, db *sql.DB, path string) error {
	var verdict string
	err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict)
	if err == nil && verdict != "ok" {
		err = errors.New(verdict)
	}
	if err != nil {
		return damaged(path, err)
	}
	return nil
}

// damaged names the file, the check that it failed and the way back.
func damaged(path string, err error) error {
	return fmt.Errorf("the database %s fails its integrity check (%w): put a backup of it in its place, without the -wal and -shm files beside it, or save what can be read with `sqlite3 %[1]s .recover | sqlite3 recovered.db`; running apps are not touched", path, err)
}
