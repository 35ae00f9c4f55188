package store

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// JoiningNode is a node that asks to join.
type JoiningNode struct {
	cluster.Join
	KeyHash string
	// InUse is why a node can't be replaced: its process is heard. It is asked
	// only when the node asks for another one's name.
	InUse func(cluster.Node) error
}

// Join makes a node of one that has a token. The same key by the same token is the
// same node, however often it asks.
func (s *Store) Join(ctx context.Context, j JoiningNode) (cluster.Node, error) {
	var id cluster.ID
	err := s.write(ctx, "join", func(tx *gorm.DB) error {
		var rows []joinTokenRow
		if err := tx.Where("hash = ?", HashToken(j.Token)).Find(&rows).Error; err != nil {
			return err
		}
		if len(rows) == 0 {
			return badToken("the join token is not one of this cluster's (make one with: aorta nodes token)")
		}
		again, err := joinedBefore(tx, rows[0].ID, j.KeyHash)
		if err != nil || again != "" {
			id = again
			return err
		}
		if err := s.usable(tx, rows[0]); err != nil {
			return err
		}
		id, err = s.admit(tx, rows[0], j)
		return err
	})
	if err != nil {
		return cluster.Node{}, err
	}
	return s.Node(ctx, id)
}

// joinedBefore is the node that joined by this token with this key, "" for none: the
// answer to it was lost.
func joinedBefore(tx *gorm.DB, token, keyHash string) (cluster.ID, error) {
	var ids []cluster.ID
	err := tx.Model(&joinUseRow{}).Joins("JOIN nodes ON nodes.id = join_uses.node_id AND nodes.key_hash = join_uses.key_hash AND nodes.removed_at IS NULL").
		Where("join_uses.token_id = ? AND join_uses.key_hash = ?", token, keyHash).Pluck("node_id", &ids).Error
	if err != nil || len(ids) == 0 {
		return "", err
	}
	return ids[0], nil
}

// admit enters the node with what the token binds, and counts the use.
func (s *Store) admit(tx *gorm.DB, row joinTokenRow, j JoiningNode) (cluster.ID, error) {
	token, err := row.token()
	if err != nil {
		return "", err
	}
	n := cluster.Node{ID: cluster.NewID(), Name: cmp.Or(token.Name, j.Name), KeyHash: j.KeyHash, SetTags: token.Tags}
	if n.Roles, err = boundRoles(token, j.Roles); err != nil {
		return "", err
	}
	if n.ID, err = s.enter(tx, n, j, token.CreatedBy); err != nil {
		return "", err
	}
	if err := tx.Model(&row).Update("used", row.Used+1).Error; err != nil {
		return "", err
	}
	return n.ID, tx.Create(&joinUseRow{TokenID: row.ID, KeyHash: j.KeyHash, NodeID: string(n.ID), UsedAt: s.now().UnixNano()}).Error
}

// boundRoles are those of the token, if it binds any, or else those asked for.
func boundRoles(token cluster.JoinToken, asked []cluster.Role) ([]cluster.Role, error) {
	if len(token.Roles) == 0 {
		if len(asked) == 0 {
			return []cluster.Role{cluster.RoleHeart, cluster.RoleRouter}, nil
		}
		return asked, nil
	}
	want, have := slices.Sorted(slices.Values(token.Roles)), slices.Sorted(slices.Values(asked))
	if len(asked) > 0 && !slices.Equal(want, have) {
		return nil, cluster.Forbidden("the join token is for a node with the roles %s, not %s: leave --roles out, or make a token with those", cluster.RoleNames(token.Roles), cluster.RoleNames(asked))
	}
	return token.Roles, nil
}

// enter makes the node, or puts it in the place of a silent one of that name, whose
// id it keeps: instances and numbers of the name go on.
func (s *Store) enter(tx *gorm.DB, n cluster.Node, j JoiningNode, user string) (cluster.ID, error) {
	var rows []nodeRow
	if err := present(tx).Where("name = ?", n.Name).Find(&rows).Error; err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return n.ID, s.createNode(tx, n, user)
	}
	if !j.Replace {
		return "", nameTaken(n.Name)
	}
	former, err := rows[0].node()
	if err != nil {
		return "", err
	}
	if former.Has(cluster.RolePacemaker) {
		return "", cluster.Conflict("node %q is the pacemaker: it can't be replaced by joining", n.Name)
	}
	if err := j.InUse(former); err != nil {
		return "", err
	}
	set := maps.Clone(former.SetTags)
	maps.Copy(set, n.SetTags)
	change := rows[0].noLease()
	maps.Copy(change, map[string]any{"key_hash": n.KeyHash, "roles": encode(n.Roles), "set_tags": encode(set), "shown": noPlaces})
	err = tx.Model(&rows[0]).Updates(change).Error
	if err != nil {
		return "", err
	}
	return former.ID, s.note(tx, user, "node.replace", "node "+n.Name, "", encode(n.Roles))
}
