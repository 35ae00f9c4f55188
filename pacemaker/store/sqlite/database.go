package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"aorta/migrations"
)

// fileName is the database's file in its directory.
const fileName = "aorta.db"

// Database is one file. It is not open.
type Database struct{ path string }

// New names the database in a directory.
func New(dir string) Database { return Database{path: filepath.Join(dir, fileName)} }

// String is the path of the file.
func (d Database) String() string { return d.path }

// Exists says whether the database was made before.
func (d Database) Exists() (bool, error) {
	_, err := os.Stat(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Lock keeps every other process off the database until the lock is closed. It
// makes the directory, since it comes first.
func (d Database) Lock() (io.Closer, error) {
	if err := os.MkdirAll(filepath.Dir(d.path), 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the database: %w", err)
	}
	return takeLock(d.path + ".lock")
}

// Writer opens a connection that writes. Transactions begin IMMEDIATE: a
// deferred one that turns into a write gets SQLITE_BUSY at once, whatever the
// time-out. FULL makes an acknowledged write survive a power cut.
func (d Database) Writer() gorm.Dialector {
	return d.dialector(url.Values{
		"_txlock":      {"immediate"},
		"_time_format": {"sqlite"},
		"_pragma":      {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
	})
}

// Reader opens connections that only read. With the write-ahead log they never
// wait for the writer, and each of their transactions sees one snapshot.
func (d Database) Reader() gorm.Dialector {
	return d.dialector(url.Values{
		"_time_format": {"sqlite"},
		"_pragma":      {"busy_timeout(5000)", "query_only(1)"},
	})
}

func (d Database) dialector(options url.Values) gorm.Dialector {
	dsn := "file:" + (&url.URL{Path: d.path}).EscapedPath() + "?" + options.Encode()
	return dialector{Dialector: sqlite.Dialector{DriverName: "sqlite", DSN: dsn}, database: d}
}

// Check refuses a file that is not a whole database any more.
func (d Database) Check(ctx context.Context, db *sql.DB) error {
	var verdict string
	err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict)
	if err == nil && verdict != "ok" {
		err = errors.New(verdict)
	}
	if err != nil {
		return d.damaged(err)
	}
	return nil
}

// Migrations gives the numbered files and the dialect that they are in.
func (d Database) Migrations() (goose.Dialect, fs.FS, error) {
	files, err := fs.Sub(migrations.FS, "sqlite")
	return goose.DialectSQLite3, files, err
}

// damaged names the file, the check that it failed and the way back.
func (d Database) damaged(err error) error {
	return fmt.Errorf("the database %s fails its integrity check (%w): put a backup of it in its place, without the -wal and -shm files beside it, or save what can be read with `sqlite3 %[1]s .recover | sqlite3 recovered.db`; running apps are not touched", d.path, err)
}
