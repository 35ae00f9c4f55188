package store

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"aorta/internal/testkit"
)

// migrated runs statements on a database as it was at a version, and brings it up.
func migrated(t *testing.T, version int64, statements ...string) *gorm.DB {
	t.Helper()
	d := dialectOf(Config{Dir: t.TempDir()})
	db, err := connect(d, d.Writer(), 1)
	testkit.Must(t, err)
	t.Cleanup(func() { _ = closeDB(db) })
	raw, err := db.DB()
	testkit.Must(t, err)
	p, err := provider(raw, d)
	testkit.Must(t, err)
	_, err = p.UpTo(t.Context(), version)
	testkit.Must(t, err)
	for _, statement := range statements {
		testkit.Must(t, db.Exec(statement).Error)
	}
	_, err = p.Up(t.Context())
	testkit.Must(t, err)
	return db
}

// What runs during an upgrade stays where it is published, if its node gets another
// address by the same start.
func TestMigrate_KeepsWhereInstancesArePublished(t *testing.T) {
	t.Parallel()
	db := migrated(
		t, 21,
		`INSERT INTO workspaces VALUES ('w', 'main', 1)`,
		`INSERT INTO apps (id, workspace_id, name, created_at) VALUES ('a', 'w', 'shop', 1)`,
		`INSERT INTO nodes (id, name, roles, address, state, tags, created_at, key_hash) VALUES ('n', 'n1', '[]', '172.18.0.1', 'ready', '{}', 1, 'k')`,
		`INSERT INTO instances (id, app_id, release_id, type, node_id, state, created_at) VALUES ('i', 'a', 'r', 'web', 'n', 'running', 1), ('j', 'a', 'r', 'web', 'n', 'assigned', 1)`,
	)

	var rows []instanceRow
	testkit.Must(t, db.Order("id").Find(&rows).Error)

	if len(rows) != 2 || rows[0].Address != "172.18.0.1" || rows[1].Address != "" {
		t.Errorf("got %+v, want the first at its node's address, and the other nowhere yet", rows)
	}
}

// What open operations had changed before an upgrade is taken back after it, too.
func TestMigrate_KeepsWhatOperationsChanged(t *testing.T) {
	t.Parallel()
	db := migrated(
		t, 16,
		`INSERT INTO workspaces VALUES ('w', 'main', 1)`,
		`INSERT INTO apps (id, workspace_id, name, created_at) VALUES ('a', 'w', 'shop', 1)`,
		`INSERT INTO config_changes VALUES ('1', 'a', 'KEY', NULL, 'sealed'), ('1', 'a', 'GONE', 'sealed', NULL)`,
		`INSERT INTO formation_changes VALUES ('1', 'a', 'web', '{"Quantity":1}', '{"Quantity":2}')`,
	)

	var rows []changeRow
	testkit.Must(t, db.Order("kind, key").Find(&rows).Error)
	text := func(s *string) string {
		if s == nil {
			return "none"
		}
		return *s
	}
	var got []string
	for _, r := range rows {
		got = append(got, strings.Join([]string{r.OperationID, r.AppID, r.Kind, r.Key, text(r.Before), text(r.After)}, " "))
	}
	want := []string{"1 a config GONE sealed none", "1 a config KEY none sealed", `1 a formation web {"Quantity":1} {"Quantity":2}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What was believed of a node before it had to be shown is believed on.
func TestMigrate_TakesRecordedAddressesForShown(t *testing.T) {
	t.Parallel()
	db := migrated(
		t, 27,
		`INSERT INTO nodes (id, name, roles, address, addresses, state, tags, created_at, key_hash) VALUES
			('1', 'n1', '[]', '10.0.0.1', '["10.0.0.1","fd00::1"]', 'ready', '{}', 1, 'a'),
			('2', 'n2', '[]', '172.18.0.1', '["10.0.0.2"]', 'ready', '{}', 1, 'b'), ('3', 'n3', '[]', '', '[]', 'ready', '{}', 1, 'c')`,
	)

	var got []string
	testkit.Must(t, db.Model(&nodeRow{}).Order("id").Pluck("shown", &got).Error)

	if diff := cmp.Diff([]string{`["10.0.0.1","fd00::1","10.0.0.1"]`, `["10.0.0.2","172.18.0.1"]`, "[]"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
