package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"
)

// migrate brings the schema to this program's version. It runs under the
// database's lock, so no two programs migrate at once.
func migrate(ctx context.Context, db *sql.DB, d dialect) error {
	p, err := provider(db, d)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the schema version of %s: %w", d, err)
	}
	sources := p.ListSources()
	if want := sources[len(sources)-1].Version; have > want {
		return fmt.Errorf("the database %s has schema %d, newer than the %d that this aortad knows: start the newer aortad, or restore a backup made by this one", d, have, want)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database %s from schema %d: %w", d, have, err)
	}
	return nil
}

func provider(db *sql.DB, d dialect) (*goose.Provider, error) {
	kind, files, err := d.Migrations()
	if err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(kind, db, files)
	if err != nil {
		return nil, err
	}
	if len(p.ListSources()) == 0 {
		return nil, errors.New("no migration is embedded")
	}
	return p, nil
}
