package store

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
)

// What open operations had changed before an upgrade is taken back after it, too.
func TestMigrate_KeepsWhatOperationsChanged(t *testing.T) {
	t.Parallel()
	d := dialectOf(Config{Dir: t.TempDir()})
	db, err := connect(d, d.Writer(), 1)
	testkit.Must(t, err)
	t.Cleanup(func() { _ = closeDB(db) })
	raw, err := db.DB()
	testkit.Must(t, err)
	p, err := provider(raw, d)
	testkit.Must(t, err)
	_, err = p.UpTo(t.Context(), 16)
	testkit.Must(t, err)
	for _, statement := range []string{
		`INSERT INTO workspaces VALUES ('w', 'main', 1)`,
		`INSERT INTO apps (id, workspace_id, name, created_at) VALUES ('a', 'w', 'shop', 1)`,
		`INSERT INTO config_changes VALUES ('1', 'a', 'KEY', NULL, 'sealed'), ('1', 'a', 'GONE', 'sealed', NULL)`,
		`INSERT INTO formation_changes VALUES ('1', 'a', 'web', '{"Quantity":1}', '{"Quantity":2}')`,
	} {
		testkit.Must(t, db.Exec(statement).Error)
	}

	_, err = p.Up(t.Context())
	testkit.Must(t, err)

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
