package store

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// ShowAddresses records that a node has shown these addresses to be its machine's, and
// that of the others there is none any more.
func (s *Store) ShowAddresses(ctx context.Context, node cluster.ID, addresses []string, others ...cluster.ID) error {
	return s.write(ctx, "record where a node has shown to be", func(tx *gorm.DB) error {
		for _, other := range others {
			if err := editShown(tx, other, func(shown []string) []string { return without(shown, addresses) }); err != nil {
				return err
			}
		}
		return editShown(tx, node, func(shown []string) []string { return append(shown, addresses...) })
	})
}

// ForgetAddresses takes back what a node has shown: it says itself that it is elsewhere.
func (s *Store) ForgetAddresses(ctx context.Context, node cluster.ID, addresses []string) error {
	return s.write(ctx, "forget where a node was", func(tx *gorm.DB) error {
		return editShown(tx, node, func(shown []string) []string { return without(shown, addresses) })
	})
}

func without(list, those []string) []string {
	return slices.DeleteFunc(list, func(a string) bool { return slices.Contains(those, a) })
}

func editShown(tx *gorm.DB, node cluster.ID, edit func([]string) []string) error {
	var rows []nodeRow
	if err := tx.Where("id = ?", string(node)).Find(&rows).Error; err != nil || len(rows) == 0 {
		return err
	}
	shown, err := decode[[]string](rows[0].Shown, "the addresses that a node has shown")
	if err != nil {
		return err
	}
	shown = edit(shown)
	slices.Sort(shown)
	return tx.Model(&nodeRow{}).Where("id = ?", string(node)).Update("shown", list(slices.Compact(shown))).Error
}
