package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// LeaseRequest is a node's that opens a session.
type LeaseRequest struct {
	Presented cluster.Lease
	Copied    bool   // the node finds itself on a copy of the disk that was given it
	Holder    string // the machine, for people
}

// TakeLease gives a node the lease of its next session. Whoever presents another than
// the last one is on an outdated copy of the node's disk, and is refused. The last one
// holds until the new one is used: the answer may be lost.
func (s *Store) TakeLease(ctx context.Context, node cluster.Node, r LeaseRequest) (given cluster.Lease, err error) {
	err = s.write(ctx, "lease a node's identity", func(tx *gorm.DB) error {
		var row nodeRow
		if err := present(tx).Where("id = ?", string(node.ID)).Take(&row).Error; err != nil {
			return translate(err, "find node "+node.Name)
		}
		if err := row.admit(node, r); err != nil || r.Presented == "" {
			return err
		}
		given = cluster.NewLease(row.Lease, row.NextLease, r.Presented)
		change := map[string]any{"next_lease": string(given), "lease_holder": r.Holder, "leased_at": s.now().UnixNano()}
		if row.Lease != "" {
			change["lease"] = string(r.Presented) // it is on the node's disk
		}
		return tx.Model(&row).Updates(change).Error
	})
	return given, err
}

// admit refuses who is on a copy. One with a newer lease than any that is known here
// went on after the backup that this database was restored from.
func (r nodeRow) admit(node cluster.Node, ask LeaseRequest) error {
	newest := r.Lease
	if r.NextLease.NewerThan(newest) {
		newest = r.NextLease
	}
	last := ask.Presented == r.Lease || ask.Presented != "" && ask.Presented == r.NextLease || ask.Presented.NewerThan(newest)
	what := ""
	switch {
	case r.Lease == "": // nobody has one: a version before this, or who joins in another's place
	case !last:
		what = "an older copy"
	case ask.Copied:
		what = "a copy"
	}
	if what == "" {
		return nil
	}
	return cluster.Forbidden("this data directory is %s of node %q's, which %s has used since %s: give this machine a directory of its own and let it join (aortad join), or take the place of %[2]s with --replace once that machine is gone",
		what, node.Name, r.LeaseHolder, toTime(r.LeasedAt).UTC().Format(time.RFC3339))
}

// UseLease notes that a node has the lease that it was given: it is the only one now.
func (s *Store) UseLease(ctx context.Context, node cluster.ID, l cluster.Lease) error {
	return s.write(ctx, "note that a lease is in use", func(tx *gorm.DB) error {
		return tx.Model(&nodeRow{}).Where("id = ? AND next_lease = ?", string(node), string(l)).Updates(map[string]any{"lease": string(l), "next_lease": ""}).Error
	})
}

// noLease lets the next who comes with the node's key have a lease, newer than all
// that were given.
func (r nodeRow) noLease() map[string]any {
	return map[string]any{"lease": "", "next_lease": string(cluster.NewLease(r.Lease, r.NextLease))}
}
