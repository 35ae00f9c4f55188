package store

import (
	"strings"
	"sync/atomic"

	"gorm.io/gorm"
)

// nodeWrites counts the commits in which a row of nodes may have been written. It reads
// each statement of the writer, so that no new one is forgotten.
type nodeWrites struct {
	pending bool // since the last commit; the writer's alone
	count   atomic.Uint64
}

func (n *nodeWrites) watch(db *gorm.DB) {
	note := func(tx *gorm.DB) {
		sql := tx.Statement.SQL.String()
		n.pending = n.pending || strings.Contains(sql, (nodeRow{}).TableName()) && !strings.HasPrefix(sql, "SELECT")
	}
	const name = "store:nodes"
	on := db.Callback()
	for _, err := range []error{
		on.Create().After("gorm:create").Register(name, note), on.Update().After("gorm:update").Register(name, note),
		on.Delete().After("gorm:delete").Register(name, note), on.Raw().After("gorm:raw").Register(name, note),
		on.Row().After("gorm:row").Register(name, note), on.Query().After("gorm:query").Register(name, note), // writes with an answer
	} {
		if err != nil {
			panic(err) // two of one name, or a circle: it fails always or never
		}
	}
}

// end is called when a commit has ended and before its callers hear of it.
func (n *nodeWrites) end() {
	if n.pending {
		n.pending = false
		n.count.Add(1)
	}
}
