package sqlite

import (
	"errors"
	"path/filepath"
	"syscall"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	driver "modernc.org/sqlite"

	"aorta/internal/disk"
)

// Result codes of SQLite; those above 255 are extended ones.
const (
	codeBusy       = 5
	codeReadOnly   = 8
	codeIO         = 10
	codeCorrupt    = 11
	codeFull       = 13
	codeCantOpen   = 14
	codeNotDB      = 26
	codeReadFails  = 266
	codeCheck      = 275
	codeWriteFails = 778
	codeForeignKey = 787
	codeSyncFails  = 1034
	codePrimaryKey = 1555
	codeUnique     = 2067
)

// dialector turns the pure Go driver's result codes into errors that the store
// knows; gorm's own dialector only knows those of the cgo driver.
type dialector struct {
	sqlite.Dialector
	database Database
}

// Initialize opens a connection, and says so when the file is damaged.
func (d dialector) Initialize(db *gorm.DB) error {
	err := d.Dialector.Initialize(db)
	var e *driver.Error
	if errors.As(err, &e) && (e.Code()&0xff == codeCorrupt || e.Code()&0xff == codeNotDB) {
		return d.database.damaged(err)
	}
	return d.Translate(err)
}

// Translate maps a broken rule of the schema to gorm's errors, and a state of
// the database in which it can't serve to an outage.
func (d dialector) Translate(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() {
	case codePrimaryKey, codeUnique:
		return gorm.ErrDuplicatedKey
	case codeForeignKey:
		return gorm.ErrForeignKeyViolated
	case codeCheck:
		return gorm.ErrCheckConstraintViolated
	}
	dir := filepath.Dir(d.database.path)
	switch e.Code() & 0xff {
	case codeFull:
		return outage{err, disk.Shortage(dir)}
	case codeIO, codeCantOpen, codeReadOnly:
		return byDisk(err, e.Code(), dir)
	case codeBusy:
		return outage{err, "the database is busy"}
	}
	return err
}

// byDisk finds out by a write what the disk has against the database: SQLite tells of
// no read-only one, no quota, and of no room for an index of its log.
func byDisk(err error, code int, dir string) error {
	if refused := disk.Try(dir); disk.Refused(refused) {
		return outage{err, disk.Reason(dir, refused)}
	}
	spare, serr := disk.Spare(dir)
	switch {
	case serr == nil && spare == 0:
		return outage{err, disk.Shortage(dir)}
	case code&0xff == codeReadOnly:
		return outage{err, "the database is read-only"}
	case code == codeReadFails || code == codeWriteFails || code == codeSyncFails:
		return outage{err, disk.Reason(dir, syscall.EIO)}
	}
	return err
}

// outage is an error that is no fault of the statement.
type outage struct {
	error
	reason string
}

// Outage is the reason in words for people.
func (o outage) Outage() string { return o.reason }

// Unwrap gives the driver's error.
func (o outage) Unwrap() error { return o.error }
