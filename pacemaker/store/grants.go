package store

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// granted are the capabilities that the app was granted, nil for none.
func (r appRow) granted() []string {
	if r.Grants == "" {
		return nil
	}
	return strings.Fields(r.Grants)
}

// ChangeGrants changes which capabilities an app was granted, and returns all
// that it has then.
func (s *Store) ChangeGrants(ctx context.Context, app cluster.ID, grant, revoke []string, user string) ([]string, error) {
	var after []string
	err := s.write(ctx, "change what is granted to an app", func(tx *gorm.DB) error {
		var row appRow
		if err := tx.Where("id = ?", string(app)).Take(&row).Error; err != nil {
			return err
		}
		after = append(row.granted(), grant...)
		for _, name := range revoke {
			if !slices.Contains(after, name) {
				return cluster.NotFound("%s was not granted to app %q (what is: %s)", name, row.Name, cmp.Or(strings.Join(row.granted(), ", "), "nothing"))
			}
		}
		after = slices.DeleteFunc(after, func(name string) bool { return slices.Contains(revoke, name) })
		slices.Sort(after)
		after = slices.Compact(after)
		text := strings.Join(after, " ")
		if text == row.Grants {
			return nil
		}
		before := row.Grants
		if err := tx.Model(&row).Updates(map[string]any{"grants": text, "version": row.Version + 1}).Error; err != nil {
			return err
		}
		return s.note(tx, user, "app.grants", "app "+row.Name, before, text)
	})
	return after, err
}
