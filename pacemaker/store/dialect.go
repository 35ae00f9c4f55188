package store

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"io/fs"

	"github.com/pressly/goose/v3"
	"gorm.io/gorm"

	"aorta/pacemaker/store/sqlite"
)

// dialect is what a database brings along beyond the portable SQL of this
// package. Its dialectors translate the errors of broken rules to gorm's and
// those of outages to outage. The SQL counts on this much:
//
//   - text compares byte by byte (in PostgreSQL: COLLATE "C"), since ids sort by
//     age and are searched by ranges
//   - savepoints within a transaction, one writing connection
//   - a reader's transaction that is repeatable sees one snapshot
//   - partial indexes, row values, window functions, ON CONFLICT
//   - columns of type boolean may hold 0 and 1 and stand alone as a condition
type dialect interface {
	fmt.Stringer // where the database is, for errors
	// Exists says whether the database was made before.
	Exists() (bool, error)
	// Lock keeps every other pacemaker off the database until it is closed, or
	// this process has died. It refuses, as a conflict that names the holder.
	Lock() (io.Closer, error)
	// Writer and Reader connect, for writing with what survives a power cut.
	Writer() gorm.Dialector
	Reader() gorm.Dialector
	// Check refuses a database that is damaged, with the way back.
	Check(ctx context.Context, db *sql.DB) error
	// Migrations are the numbered files of the dialect.
	Migrations() (goose.Dialect, fs.FS, error)
}

// snapshot is for reads that must fit together: no write comes in between.
var snapshot = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}

// dialectOf chooses by where the configuration says that the database is.
func dialectOf(cfg Config) dialect { return sqlite.New(cfg.Dir) }

// Exists says whether the database was made before: what belongs to it, such as
// its key, must then be there too.
func Exists(cfg Config) (bool, error) {
	d := dialectOf(cfg)
	there, err := d.Exists()
	if err != nil {
		return false, fmt.Errorf("stat the database %s: %w", d, err)
	}
	return there, nil
}
