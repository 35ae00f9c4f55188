package store

import (
	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

type eventRow struct {
	ID       string `gorm:"primaryKey"`
	At       int64
	Username string
	Action   string
	Thing    string
	Before   string
	After    string
}

func (eventRow) TableName() string { return "events" }

// note records who changed what, in the transaction that changes it. Before
// and after never hold a secret.
func (s *Store) note(tx *gorm.DB, user, action, thing, before, after string) error {
	return tx.Create(&eventRow{
		ID: string(cluster.NewID()), At: s.now().UnixNano(),
		Username: user, Action: action, Thing: thing, Before: before, After: after,
	}).Error
}
