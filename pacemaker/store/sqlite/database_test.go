package sqlite

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"aorta/pacemaker/cluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open connects until the end of the test.
func open(t *testing.T, dialector gorm.Dialector) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard, SkipDefaultTransaction: true, TranslateError: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if raw, err := db.DB(); err == nil {
			_ = raw.Close()
		}
	})
	return db
}

func TestDatabase_ExistsOnceItWasWritten(t *testing.T) {
	d := New(filepath.Join(t.TempDir(), "a b%20c?d"))
	lock, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	before, berr := d.Exists()

	err = open(t, d.Writer()).Exec("CREATE TABLE t (x)").Error

	after, aerr := d.Exists()
	if before || !after || errors.Join(err, berr, aerr, lock.Close()) != nil {
		t.Errorf("got %t before and %t after (%v), want it there once written", before, after, errors.Join(err, berr, aerr))
	}
}

func TestDatabase_LockHasOneHolder(t *testing.T) {
	d := New(t.TempDir())
	first, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}

	_, refused := d.Lock()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := d.Lock()

	if cluster.CodeOf(refused) != cluster.CodeConflict || !strings.Contains(refused.Error(), "process ") {
		t.Errorf("while it is held: got %v, want a conflict that names the holder", refused)
	}
	if err != nil || second.Close() != nil {
		t.Errorf("once it is closed: got %v, want it", err)
	}
}

func TestDialector_TranslatesWhatTheStoreKnows(t *testing.T) {
	d := New(t.TempDir())
	db := open(t, d.Writer())
	for _, statement := range []string{
		"CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT UNIQUE, size INTEGER CHECK (size > 0))",
		"CREATE TABLE children (parent INTEGER REFERENCES parents (id))",
		"INSERT INTO parents VALUES (1, 'one', 1)",
	} {
		if err := db.Exec(statement).Error; err != nil {
			t.Fatal(err)
		}
	}

	for statement, want := range map[string]error{
		"INSERT INTO parents VALUES (1, 'two', 1)":   gorm.ErrDuplicatedKey,
		"INSERT INTO parents VALUES (2, 'one', 1)":   gorm.ErrDuplicatedKey,
		"INSERT INTO parents VALUES (3, 'three', 0)": gorm.ErrCheckConstraintViolated,
		"INSERT INTO children VALUES (7)":            gorm.ErrForeignKeyViolated,
	} {
		if err := db.Exec(statement).Error; !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", statement, err, want)
		}
	}
	var out interface{ Outage() string }
	if err := open(t, d.Reader()).Exec("DELETE FROM parents").Error; !errors.As(err, &out) || out.Outage() != "the database is read-only" {
		t.Errorf("a write by a reader: got %v, want an outage", err)
	}
	if err := db.Exec("nonsense").Error; err == nil || errors.As(err, &out) {
		t.Errorf("nonsense: got %v, want an error that is no outage", err)
	}
}
