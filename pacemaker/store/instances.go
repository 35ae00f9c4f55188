package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

type instanceRow struct {
	ID          string `gorm:"primaryKey"`
	AppID       string
	ReleaseID   string
	Type        string
	NodeID      string
	Port        int
	Address     string
	State       string
	Crashing    bool
	Restarts    int
	Error       string
	OperationID string
	RetireID    string
	DrainCause  string
	Revision    int
	CreatedAt   int64 `gorm:"autoCreateTime:false"`
	StartedAt   *int64
	CrashedAt   *int64
	DrainingAt  *int64
	GoneAt      *int64
	StopsAfter  int64 // nanoseconds
}

func (instanceRow) TableName() string { return "instances" }

func (r instanceRow) instance() cluster.Instance {
	return cluster.Instance{
		ID: cluster.ID(r.ID), AppID: cluster.ID(r.AppID), ReleaseID: cluster.ID(r.ReleaseID), Type: r.Type,
		NodeID: cluster.ID(r.NodeID), Port: r.Port, Address: r.Address, State: cluster.InstanceState(r.State), Crashing: r.Crashing,
		Restarts: r.Restarts, Error: r.Error, Operation: cluster.ID(r.OperationID), Revision: r.Revision,
		CreatedAt: toTime(r.CreatedAt), StartedAt: toTimePtr(r.StartedAt), CrashedAt: toTimePtr(r.CrashedAt),
		DrainingAt: toTimePtr(r.DrainingAt), GoneAt: toTimePtr(r.GoneAt), StopsAfter: time.Duration(r.StopsAfter),
	}
}

func instancesOf(rows []instanceRow) []cluster.Instance {
	out := make([]cluster.Instance, len(rows))
	for i, r := range rows {
		out[i] = r.instance()
	}
	return out
}

// Instance finds an instance by its id.
func (s *Store) Instance(ctx context.Context, id cluster.ID) (cluster.Instance, error) {
	var row instanceRow
	if err := s.read.WithContext(ctx).Where("id = ?", string(id)).Take(&row).Error; err != nil {
		return cluster.Instance{}, translate(err, "find instance "+string(id))
	}
	return row.instance(), nil
}

// Instances lists what is not gone: of an app, or of all with "".
func (s *Store) Instances(ctx context.Context, app cluster.ID) ([]cluster.Instance, error) {
	q := s.read.WithContext(ctx).Where("gone_at IS NULL").Order("id")
	if app != "" {
		q = q.Where("app_id = ?", string(app))
	}
	return s.instances(q)
}

// InstancesOn lists what is not gone on a node.
func (s *Store) InstancesOn(ctx context.Context, node cluster.ID) ([]cluster.Instance, error) {
	return s.instances(s.read.WithContext(ctx).Where("gone_at IS NULL AND node_id = ?", string(node)).Order("id"))
}

// InstancesByOperation lists all that an operation asked for, gone or not.
func (s *Store) InstancesByOperation(ctx context.Context, op cluster.ID) ([]cluster.Instance, error) {
	return s.instances(s.read.WithContext(ctx).Where("operation_id = ?", string(op)).Order("id"))
}

// InstancesRetiredBy lists all that an operation drains and stops.
func (s *Store) InstancesRetiredBy(ctx context.Context, op cluster.ID) ([]cluster.Instance, error) {
	return s.instances(s.read.WithContext(ctx).Where("retire_id = ?", string(op)).Order("id"))
}

// retirable are the instances that BeginRetire covers: what has to be stopped, and is
// on a node that can be asked to. On one that counts as lost it waits for its return.
const retirable = `gone_at IS NULL AND retire_id = '' AND state IN ('draining', 'stopped', 'failed')
	AND node_id NOT IN (SELECT id FROM nodes WHERE state = 'dead' AND removed_at IS NULL)`

// AppsToRetire lists the apps with instances that BeginRetire would cover.
func (s *Store) AppsToRetire(ctx context.Context) ([]cluster.ID, error) {
	var ids []cluster.ID
	err := s.read.WithContext(ctx).Model(&instanceRow{}).Distinct("app_id").
		Where(retirable).Pluck("app_id", &ids).Error
	return ids, translate(err, "list the apps with instances to stop")
}

func (s *Store) instances(q *gorm.DB) ([]cluster.Instance, error) {
	var rows []instanceRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, translate(err, "list instances")
	}
	return instancesOf(rows), nil
}

// Assignment puts one instance on a node.
type Assignment struct {
	ID        cluster.ID
	App       cluster.ID
	Release   cluster.ID
	Type      string
	Node      cluster.ID
	NeedsPort bool
	Operation cluster.ID
	Exclusive bool // no instance of another operation may be left, see exclusive.go
}

// Assign records assignments with their ports and raises the revisions of
// their nodes' wanted sets. An assignment that is there already stays as it is.
func (s *Store) Assign(ctx context.Context, list []Assignment) error {
	return s.write(ctx, "assign instances", func(tx *gorm.DB) error {
		for _, a := range list {
			if err := s.assign(tx, a); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) assign(tx *gorm.DB, a Assignment) error {
	var have int64
	if err := tx.Model(&instanceRow{}).Where("id = ?", string(a.ID)).Count(&have).Error; err != nil || have > 0 {
		return err
	}
	if err := stillOpen(tx, a.Operation); err != nil {
		return err
	}
	if err := refuseDestroying(tx, a.App); err != nil {
		return err
	}
	if a.Exclusive {
		if err := s.refuseSecond(tx, a); err != nil {
			return err
		}
	}
	row := instanceRow{
		ID: string(a.ID), AppID: string(a.App), ReleaseID: string(a.Release), Type: a.Type, NodeID: string(a.Node),
		State: string(cluster.InstanceAssigned), OperationID: string(a.Operation), CreatedAt: s.now().UnixNano(),
	}
	var err error
	if a.NeedsPort {
		if row.Port, err = s.allocatePort(tx, a.Node, a.ID); err != nil {
			return err
		}
	}
	if row.Revision, err = raiseRevision(tx, a.Node); err != nil {
		return err
	}
	return tx.Create(&row).Error
}

// AssignInstead is Assign of one in the place of another of its operation, whose node is
// dead: that one drains, and is stopped if its node comes back. False means that it is
// too late, since what the operation brings serves already.
func (s *Store) AssignInstead(ctx context.Context, a Assignment, of cluster.ID) (done bool, err error) {
	err = s.write(ctx, "assign an instance instead of another", func(tx *gorm.DB) error {
		var op operationRow
		if err := tx.Where("id = ?", string(a.Operation)).Take(&op).Error; err != nil || op.Promoted {
			return err
		}
		var row instanceRow
		if err := tx.Where("id = ? AND operation_id = ?", string(of), string(a.Operation)).Take(&row).Error; err != nil {
			return err
		}
		if a.Exclusive {
			if err := refuseBeside(tx, row, a.Type); err != nil {
				return err
			}
		}
		done = true
		if err := s.assign(tx, a); err != nil {
			return err
		}
		return s.markDraining(tx, "", []cluster.ID{of})
	})
	return done && err == nil, err
}

func raiseRevision(tx *gorm.DB, node cluster.ID) (int, error) {
	err := tx.Model(&nodeRow{}).Where("id = ?", string(node)).Update("revision", gorm.Expr("revision + 1")).Error
	if err != nil {
		return 0, err
	}
	var revision int
	err = tx.Model(&nodeRow{}).Where("id = ?", string(node)).Select("revision").Scan(&revision).Error
	return revision, err
}

// ApplyReport records what a heart reports of its instances: forward steps of
// state, conditions, what is gone. It gives the ids that the database does not
// know on this node, and whether anything changed.
func (s *Store) ApplyReport(ctx context.Context, node cluster.ID, list []cluster.InstanceStatus) (unknown []cluster.ID, changed bool, err error) {
	list, unknown, err = s.knownOf(ctx, node, list)
	if err != nil || len(list) == 0 {
		return unknown, false, err
	}
	err = s.write(ctx, "apply a report", func(tx *gorm.DB) error {
		for _, st := range list {
			found, did, err := s.applyStatus(tx, node, st)
			if err != nil {
				return err
			}
			if !found {
				unknown = append(unknown, st.ID)
			}
			changed = changed || did
		}
		return nil
	})
	return unknown, changed, err
}

func (s *Store) applyStatus(tx *gorm.DB, node cluster.ID, st cluster.InstanceStatus) (found, changed bool, err error) {
	var rows []instanceRow
	err = tx.Where("id = ? AND node_id = ?", string(st.ID), string(node)).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return false, false, err
	}
	row, set := rows[0], map[string]any{}
	if row.GoneAt != nil {
		return true, false, nil // a late report of what has ended
	}
	if cluster.InstanceState(row.State).CanBecome(st.State) && !(row.State == string(cluster.InstanceDraining) && st.State == cluster.InstanceFailed) {
		set["state"] = string(st.State)
	}
	if row.Crashing != st.Crashing {
		set["crashing"] = st.Crashing
	}
	if row.Restarts != st.Restarts {
		set["restarts"] = st.Restarts
	}
	if crashed(row, st) {
		set["crashed_at"] = s.now().UnixNano()
	}
	if st.Address != "" && row.Address != st.Address {
		set["address"] = st.Address
	}
	if st.Error != "" && row.Error != st.Error {
		set["error"] = st.Error
	}
	if st.StartedAt != nil && (row.StartedAt == nil || *row.StartedAt != st.StartedAt.UnixNano()) {
		set["started_at"] = st.StartedAt.UnixNano()
	}
	if row.StopsAfter != int64(st.StopsAfter) {
		set["stops_after"] = int64(st.StopsAfter)
	}
	if st.Gone {
		return true, true, s.markGone(tx, row, st)
	}
	if len(set) == 0 {
		return true, false, nil
	}
	return true, true, tx.Model(&row).Updates(set).Error
}

// crashed says that an instance has ended by itself since the last report, or that
// its process recovers from failing its checks. A start after it was ended by something
// else is neither, however many reports tell of it.
func crashed(row instanceRow, st cluster.InstanceStatus) bool {
	same := row.StartedAt != nil && st.StartedAt != nil && *row.StartedAt == st.StartedAt.UnixNano()
	comesBack := cluster.WasTakenDown(row.Error)
	return st.Restarts > row.Restarts || row.Crashing && !st.Crashing && same && !comesBack
}

// markGone ends an instance whose container is gone. Its port is in
// quarantine before another one gets it.
func (s *Store) markGone(tx *gorm.DB, row instanceRow, st cluster.InstanceStatus) error {
	now := s.now().UnixNano()
	set := map[string]any{"gone_at": now, "crashing": false}
	if !cluster.InstanceState(row.State).Ended() {
		end := cluster.InstanceFailed
		if row.State == string(cluster.InstanceDraining) || st.State == cluster.InstanceStopped {
			end = cluster.InstanceStopped
		}
		set["state"] = string(end)
	}
	if st.Error != "" {
		set["error"] = st.Error
	}
	if err := tx.Model(&row).Updates(set).Error; err != nil {
		return err
	}
	if _, err := raiseRevision(tx, cluster.ID(row.NodeID)); err != nil {
		return err
	}
	return tx.Model(&portRow{}).Where("instance_id = ?", row.ID).Update("released_at", now).Error
}

// Retirement is what one retire operation covers.
type Retirement struct {
	Operation cluster.Operation
	Instances []cluster.ID
}

// startsFor is how long after its end an operation counts as the cause of what
// becomes of its instances: what fails later does so by itself.
const startsFor = 10 * time.Minute

// causeOfRetire is the operation that an instance's stop is because of, "" for none.
const causeOfRetire = `COALESCE(NULLIF(drain_cause, ''),
	(SELECT operations.id FROM operations WHERE operations.id = instances.operation_id AND (operations.ended_at IS NULL OR operations.ended_at > ?)), '')`

// BeginRetire makes one retire operation for those of an app's instances that
// drain, or have failed and still have a container, that no open operation covers
// and that one operation is the cause of: the one by which they are not wanted, or
// else the one that has just started them. It gives nil when there are none.
func (s *Store) BeginRetire(ctx context.Context, app cluster.ID, title func(n int) string) (*Retirement, error) {
	var out *Retirement
	err := s.write(ctx, "begin retire", func(tx *gorm.DB) error {
		var rows []struct{ ID, Cause string }
		err := tx.Model(&instanceRow{}).Select("id, "+causeOfRetire+" AS cause", s.now().Add(-startsFor).UnixNano()).
			Where("app_id = ?", string(app)).Where(retirable).
			Order("id").Scan(&rows).Error
		if err != nil || len(rows) == 0 {
			return err
		}
		var ids []cluster.ID
		for _, r := range rows {
			if r.Cause == rows[0].Cause {
				ids = append(ids, cluster.ID(r.ID))
			}
		}
		op := cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpRetire, AppID: app, Title: title(len(ids)), Cause: cluster.ID(rows[0].Cause)}
		if err := s.insertOperation(tx, op); err != nil {
			return err
		}
		out = &Retirement{Operation: op, Instances: ids}
		return tx.Model(&instanceRow{}).Where("id IN ?", ids).Update("retire_id", string(op.ID)).Error
	})
	return out, err
}

// DrainsFor counts an app's instances that an operation has made unwanted and
// that are still there.
func (s *Store) DrainsFor(ctx context.Context, op cluster.Operation) (int, error) {
	var n int64
	err := s.read.WithContext(ctx).Model(&instanceRow{}).
		Where("app_id = ? AND gone_at IS NULL AND drain_cause = ?", string(op.AppID), string(op.ID)).Count(&n).Error
	return int(n), translate(err, "count what drains")
}
