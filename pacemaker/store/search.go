package store

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// OperationQuery narrows the list of operations down. Empty values leave it
// open.
type OperationQuery struct {
	App       cluster.ID
	Kind      cluster.OperationKind
	State     cluster.OperationState
	Since     time.Time  // asked then or later, to the millisecond
	Until     time.Time  // asked before
	Attention bool       // only what needs somebody's attention
	Uncaused  bool       // leave out what another one has caused, unless it failed
	By        By         // who began it
	Below     cluster.ID // older than this one: the next page
	Limit     int
}

// By says who began an operation.
type By string

// Who may begin operations.
const (
	ByPeople By = "people"
	ByAorta  By = "aorta" // itself, such as a replacement or what another operation caused
)

// Operations lists operations, newest first.
func (s *Store) Operations(ctx context.Context, q OperationQuery) ([]cluster.Operation, error) {
	return s.operations(ctx, q.on(s.read))
}

// MostCounted bounds a count of operations: more are told as one more than that.
const MostCounted = 10_000

// CountOperations is how many operations a query finds on all its pages, at most
// one more than MostCounted.
func (s *Store) CountOperations(ctx context.Context, q OperationQuery) (int, error) {
	q.Below, q.Limit = "", MostCounted+1
	var n int64
	err := s.read.WithContext(ctx).Table("(?) AS found", q.on(s.read).Select("id")).Count(&n).Error
	return int(n), translate(err, "count operations")
}

// on makes the query. Times are compared as ids, which begin with them: so each
// filter is served by its index in the order of the list.
func (q OperationQuery) on(db *gorm.DB) *gorm.DB {
	db = db.Model(&operationRow{}).Order("id DESC").Limit(q.Limit)
	for _, c := range []struct {
		where, value string
	}{
		{"app_id = ?", string(q.App)},
		{"kind = ?", string(q.Kind)},
		{"state = ?", string(q.State)},
		{"id < ?", string(q.Below)},
	} {
		if c.value != "" {
			db = db.Where(c.where, c.value)
		}
	}
	if !q.Since.IsZero() {
		db = db.Where("id >= ?", string(cluster.FirstIDAt(q.Since)))
	}
	if !q.Until.IsZero() {
		db = db.Where("id < ?", string(cluster.FirstIDAt(q.Until)))
	}
	if q.Uncaused {
		db = db.Where("(cause_id = '' OR state = 'failed')") // as an index has it
	}
	switch q.By { // as an index has it
	case ByPeople:
		db = db.Where("username <> ''")
	case ByAorta:
		db = db.Where("username = ''")
	}
	if q.Attention {
		db = db.Where(needsAttention)
	}
	return db
}

// needsAttention holds for an operation that failed, whose app or node is still
// there, that nobody has discarded, and after which none of its kind for the same
// app or node has succeeded or is open.
const needsAttention = `state = 'failed' AND discarded_at IS NULL
	AND (app_id <> '' AND EXISTS (SELECT 1 FROM apps WHERE apps.id = operations.app_id)
		OR node_id <> '' AND EXISTS (SELECT 1 FROM nodes WHERE nodes.id = operations.node_id))
	AND NOT EXISTS (SELECT 1 FROM operations AS later
		WHERE later.app_id = operations.app_id AND later.node_id = operations.node_id AND later.kind = operations.kind
			AND later.id > operations.id AND later.state IN ('open', 'succeeded'))`

// NeedAttention picks those of the operations that need somebody's attention.
func (s *Store) NeedAttention(ctx context.Context, ids []cluster.ID) (map[cluster.ID]bool, error) {
	out := map[cluster.ID]bool{}
	if len(ids) == 0 {
		return out, nil
	}
	var found []cluster.ID
	err := s.read.WithContext(ctx).Model(&operationRow{}).Where("id IN ?", ids).Where(needsAttention).Pluck("id", &found).Error
	for _, id := range found {
		out[id] = true
	}
	return out, translate(err, "search what needs attention")
}

// minPrefix is how much of an id is asked for: less names too many things.
const minPrefix = 8

// FormerApp finds the id of an app by its beginning, in what is kept of
// operations: also that of a destroyed app.
func (s *Store) FormerApp(ctx context.Context, prefix string) (cluster.ID, error) {
	var ids []cluster.ID
	if len(prefix) >= minPrefix && strings.Trim(prefix, "0123456789abcdef-") == "" {
		// Every id that begins so sorts before the same text with a letter past f.
		err := s.read.WithContext(ctx).Model(&operationRow{}).Distinct("app_id").
			Where("app_id >= ? AND app_id < ?", prefix, prefix+"g").Limit(2).Pluck("app_id", &ids).Error
		if err != nil {
			return "", translate(err, "find app")
		}
	}
	if len(ids) != 1 {
		return "", cluster.NotFound("%d apps have an id that begins with %.40q", len(ids), prefix)
	}
	return ids[0], nil
}
