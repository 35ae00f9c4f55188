package store

import (
	"context"
	"encoding/json"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

type operationRow struct {
	ID        string `gorm:"primaryKey"`
	Kind      string
	AppID     string
	NodeID    string
	Title     string
	Args      string
	Exclusive bool
	State     string
	Error     string
	Username  string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	EndedAt   *int64
	TurnAt    *int64

	DiscardedAt *int64
	DiscardedBy string
	CauseID     string
	AbortReason string
	Promoted    bool
}

func (operationRow) TableName() string { return "operations" }

func (r operationRow) operation() cluster.Operation {
	return cluster.Operation{
		ID: cluster.ID(r.ID), Kind: cluster.OperationKind(r.Kind), AppID: cluster.ID(r.AppID), NodeID: cluster.ID(r.NodeID),
		Title: r.Title, Args: json.RawMessage(r.Args), State: cluster.OperationState(r.State), Error: r.Error,
		User: r.Username, CreatedAt: toTime(r.CreatedAt), EndedAt: toTimePtr(r.EndedAt), Turn: toTimePtr(r.TurnAt),
		DiscardedAt: toTimePtr(r.DiscardedAt), DiscardedBy: r.DiscardedBy, Cause: cluster.ID(r.CauseID),
		Promoted: r.Promoted, AbortReason: r.AbortReason,
	}
}

// Part is written in the same transaction as an operation: what was asked and
// what it needs are there together or not at all.
type Part func(s *Store, tx *gorm.DB, op cluster.Operation) error

// IfIdle refuses the operation with a conflict while another exclusive one of
// the app is open.
func IfIdle() Part { return ifNone("exclusive") }

// IfUnchanging is IfIdle, but for deploys that still build.
func IfUnchanging() Part { return ifNone("exclusive AND turn_at IS NOT NULL") }

func ifNone(which string) Part {
	return func(_ *Store, tx *gorm.DB, op cluster.Operation) error {
		var rows []operationRow
		err := tx.Where("app_id = ? AND state = 'open' AND id <> ?", string(op.AppID), string(op.ID)).Where(which).Limit(1).Find(&rows).Error
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			return cluster.Conflict("another operation is running: %s", rows[0].Title)
		}
		return nil
	}
}

// WithDestroying marks the app as going, in the operation's transaction.
func WithDestroying() Part {
	return func(_ *Store, tx *gorm.DB, op cluster.Operation) error {
		return tx.Model(&appRow{}).Where("id = ?", string(op.AppID)).Update("destroying", true).Error
	}
}

// WithDraining has the operation's node get nothing new from now on.
func WithDraining() Part {
	return func(_ *Store, tx *gorm.DB, op cluster.Operation) error { return setDraining(tx, op.NodeID, true) }
}

// Begin records an operation with its parts. It is on disk when Begin returns.
func (s *Store) Begin(ctx context.Context, op cluster.Operation, parts ...Part) error {
	return s.write(ctx, "begin "+string(op.Kind), func(tx *gorm.DB) error { return s.begin(tx, op, parts...) })
}

func (s *Store) begin(tx *gorm.DB, op cluster.Operation, parts ...Part) error {
	if op.AppID != "" && op.Kind.Exclusive() {
		if err := refuseDestroying(tx, op.AppID); err != nil {
			return err
		}
	}
	if err := refuseCrowd(tx, op); err != nil {
		return err
	}
	if err := s.insertOperation(tx, op); err != nil {
		return err
	}
	for _, part := range parts {
		if err := part(s, tx, op); err != nil {
			return err
		}
	}
	if op.User == "" {
		return nil
	}
	return s.note(tx, op.User, "operation."+string(op.Kind), op.Title, "", "")
}

func refuseDestroying(tx *gorm.DB, app cluster.ID) error {
	var row appRow
	if err := tx.Where("id = ?", string(app)).Take(&row).Error; err != nil {
		return err
	}
	if row.Destroying {
		return cluster.Conflict("app %q is being destroyed", row.Name)
	}
	return nil
}

func (s *Store) insertOperation(tx *gorm.DB, op cluster.Operation) error {
	args := string(op.Args)
	if args == "" {
		args = "{}"
	}
	var turn *int64
	if !op.Kind.TakesTurnLater() {
		var err error
		if turn, err = s.nextTurn(tx, op.AppID); err != nil {
			return err
		}
	}
	return tx.Create(&operationRow{
		ID: string(op.ID), Kind: string(op.Kind), AppID: string(op.AppID), NodeID: string(op.NodeID), Title: op.Title,
		Args: args, Exclusive: op.Kind.Exclusive(), State: string(cluster.OperationOpen), Username: op.User,
		CreatedAt: s.now().UnixNano(), TurnAt: turn, CauseID: string(op.Cause),
	}).Error
}

// Operation finds an operation by its id.
func (s *Store) Operation(ctx context.Context, id cluster.ID) (cluster.Operation, error) {
	var row operationRow
	if err := s.read.WithContext(ctx).Where("id = ?", string(id)).Take(&row).Error; err != nil {
		return cluster.Operation{}, translate(err, "find operation "+string(id))
	}
	return row.operation(), nil
}

// arrival is the order in which open operations came: that of their commits. One
// may get its id early and be written late.
const arrival = "created_at, id"

// OpenOperations lists what has not ended, in the order in which it came.
func (s *Store) OpenOperations(ctx context.Context) ([]cluster.Operation, error) {
	return s.operations(ctx, s.read.Where("state = 'open'").Order(arrival))
}

// OpenOperationsOf lists an app's open operations, in the order in which they came.
func (s *Store) OpenOperationsOf(ctx context.Context, app cluster.ID) ([]cluster.Operation, error) {
	return s.operations(ctx, s.read.Where("app_id = ? AND state = 'open'", string(app)).Order(arrival))
}

// CausedBy lists what an operation has caused, in the order in which it came.
func (s *Store) CausedBy(ctx context.Context, id cluster.ID) ([]cluster.Operation, error) {
	return s.operations(ctx, s.read.Where("cause_id = ? AND cause_id <> ''", string(id)).Order("id"))
}

func (s *Store) operations(ctx context.Context, q *gorm.DB) ([]cluster.Operation, error) {
	var rows []operationRow
	if err := q.WithContext(ctx).Find(&rows).Error; err != nil {
		return nil, translate(err, "list operations")
	}
	return mapped(rows, func(r operationRow) (cluster.Operation, error) { return r.operation(), nil })
}

// shortForm is the last 8 of an id's 36 characters, as ID.Short gives it. The
// expression is that of an index.
const shortForm = "substr(id, 29)"

// FindOperation finds an operation by its id, or by the short form that people
// see, where that names only one.
func (s *Store) FindOperation(ctx context.Context, name string) (cluster.Operation, error) {
	if id, err := cluster.ParseID(name); err == nil {
		return s.Operation(ctx, id)
	}
	var rows []operationRow
	if err := s.read.WithContext(ctx).Where(shortForm+" = ?", name).Order("id DESC").Limit(2).Find(&rows).Error; err != nil {
		return cluster.Operation{}, translate(err, "find operation")
	}
	switch len(rows) {
	case 0:
		return cluster.Operation{}, cluster.NotFound("no operation is called %.40q", name)
	case 2:
		return cluster.Operation{}, cluster.Conflict("several jobs are called %s: give the whole id, such as %s (%s) or %s (%s)", name, rows[0].ID, rows[0].Title, rows[1].ID, rows[1].Title)
	}
	return rows[0].operation(), nil
}
