package store

import (
	"errors"
	"fmt"
	"net/url"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	sqlitedriver "modernc.org/sqlite"

	"aorta/pacemaker/cluster"
)

// writeDSN opens the one writing connection. Transactions begin IMMEDIATE: a
// deferred one that turns into a write gets SQLITE_BUSY at once, whatever the
// time-out. FULL makes an acknowledged write survive a power cut.
func writeDSN(path string) string {
	return dsn(path, url.Values{
		"_txlock":      {"immediate"},
		"_time_format": {"sqlite"},
		"_pragma":      {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
	})
}

func readDSN(path string) string {
	return dsn(path, url.Values{
		"_time_format": {"sqlite"},
		"_pragma":      {"busy_timeout(5000)", "query_only(1)"},
	})
}

func dsn(path string, v url.Values) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + v.Encode()
}

func dialector(dsn string) gorm.Dialector {
	return coded{sqlite.Dialector{DriverName: "sqlite", DSN: dsn}}
}

// coded turns the pure Go driver's result codes into gorm's errors; gorm's own
// dialector only knows those of the cgo driver.
type coded struct{ sqlite.Dialector }

// Extended result codes of SQLite.
const (
	codeForeignKey = 787
	codePrimaryKey = 1555
	codeUnique     = 2067
	codeCheck      = 275
	codeFull       = 13
	codeBusy       = 5
	codeReadOnly   = 8
	codeCorrupt    = 11
	codeNotDB      = 26
)

// Translate maps a driver's error to gorm's.
func (coded) Translate(err error) error {
	var e *sqlitedriver.Error
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
	return err
}

// isDamage says that the file is no longer a whole database.
func isDamage(err error) bool {
	var e *sqlitedriver.Error
	return errors.As(err, &e) && (e.Code()&0xff == codeCorrupt || e.Code()&0xff == codeNotDB)
}

// translate turns what gorm and the driver say into a coded error. Coded
// errors pass as they are.
func translate(err error, verb string) error {
	var ours *cluster.Error
	var e *sqlitedriver.Error
	switch {
	case err == nil, errors.As(err, &ours):
		return err
	case errors.Is(err, gorm.ErrRecordNotFound):
		return &cluster.Error{Code: cluster.CodeNotFound, Message: verb + ": not found", Err: err}
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return &cluster.Error{Code: cluster.CodeConflict, Message: verb + ": exists already", Err: err}
	case errors.As(err, &e):
		switch e.Code() & 0xff {
		case codeFull:
			return &cluster.Error{Code: cluster.CodeUnavailable, Message: verb + ": the disk of the database is full", Err: err}
		case codeBusy:
			return &cluster.Error{Code: cluster.CodeUnavailable, Message: verb + ": the database is busy", Err: err}
		case codeReadOnly:
			return &cluster.Error{Code: cluster.CodeUnavailable, Message: verb + ": the database is read-only", Err: err}
		}
	}
	return fmt.Errorf("%s: %w", verb, err)
}
