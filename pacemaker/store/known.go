package store

import (
	"context"
	"slices"

	"aorta/pacemaker/cluster"
)

// knownOf parts what the database knows on the node, each once, from the rest: a node may
// name what it likes, and nobody else can write while a report is applied.
func (s *Store) knownOf(ctx context.Context, node cluster.ID, list []cluster.InstanceStatus) (known []cluster.InstanceStatus, unknown []cluster.ID, err error) {
	last := make(map[cluster.ID]cluster.InstanceStatus, len(list))
	ids := make([]cluster.ID, 0, len(list))
	for _, st := range list {
		if _, again := last[st.ID]; !again {
			ids = append(ids, st.ID)
		}
		last[st.ID] = st
	}
	there, err := s.KnownOn(ctx, node, ids)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range there {
		known = append(known, last[id])
		delete(last, id)
	}
	for _, id := range ids {
		if _, left := last[id]; left {
			unknown = append(unknown, id)
		}
	}
	return known, unknown, nil
}

// KnownOn are those of the ids that are of a node's instances, also of ended ones.
func (s *Store) KnownOn(ctx context.Context, node cluster.ID, ids []cluster.ID) ([]cluster.ID, error) {
	var known []cluster.ID
	for some := range slices.Chunk(ids, 500) {
		var found []cluster.ID
		err := s.read.WithContext(ctx).Model(&instanceRow{}).Where("node_id = ? AND id IN ?", string(node), some).Pluck("id", &found).Error
		if err != nil {
			return nil, translate(err, "look for a node's instances")
		}
		known = append(known, found...)
	}
	return known, nil
}
