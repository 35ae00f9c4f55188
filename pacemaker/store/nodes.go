package store

import (
	"context"
	"maps"
	"slices"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

type nodeRow struct {
	ID        string `gorm:"primaryKey"`
	Name      string
	Roles     string
	Address   string
	State     string
	Draining  bool
	Revision  int
	Tags      string
	TokenHash string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	JoinedAt  *int64
	Addresses string
	Public    string
}

func (nodeRow) TableName() string { return "nodes" }

func (r nodeRow) node() (cluster.Node, error) {
	roles, err := decode[[]cluster.Role](r.Roles, "a node's roles")
	if err != nil {
		return cluster.Node{}, err
	}
	tags, err := decode[map[string]string](r.Tags, "a node's tags")
	if err != nil {
		return cluster.Node{}, err
	}
	addresses, err := decode[[]string](r.Addresses, "a node's addresses")
	if err != nil {
		return cluster.Node{}, err
	}
	public, err := decode[[]string](r.Public, "a node's public addresses")
	return cluster.Node{
		ID: cluster.ID(r.ID), Name: r.Name, Roles: roles, Address: r.Address, State: cluster.NodeState(r.State),
		Places: cluster.Places{Addresses: addresses, Public: public}, Draining: r.Draining, Revision: r.Revision, Tags: tags, CreatedAt: toTime(r.CreatedAt), JoinedAt: toTimePtr(r.JoinedAt),
	}, err
}

// joined narrows a query down to the nodes that there are: one whose token was not
// used yet is none.
func joined(tx *gorm.DB) *gorm.DB { return tx.Where("joined_at IS NOT NULL") }

// CreateNode keeps a node's identity with the hash of its token, in place of one of
// that name which has not joined.
func (s *Store) CreateNode(ctx context.Context, n cluster.Node, tokenHash, user string) error {
	return s.write(ctx, "create node", func(tx *gorm.DB) error {
		var have int64
		if err := joined(tx).Model(&nodeRow{}).Where("name = ?", n.Name).Count(&have).Error; err != nil {
			return err
		}
		if have > 0 {
			return cluster.Conflict("node %q exists already (choose another name)", n.Name)
		}
		if err := tx.Where("name = ?", n.Name).Delete(&nodeRow{}).Error; err != nil {
			return err
		}
		err := tx.Create(&nodeRow{
			ID: string(n.ID), Name: n.Name, Roles: encode(n.Roles), Address: n.Address, State: string(cluster.NodeReady),
			Tags: encode(nonNil(n.Tags)), Addresses: noPlaces, Public: noPlaces, TokenHash: tokenHash, CreatedAt: s.now().UnixNano(),
		}).Error
		if err != nil {
			return err
		}
		return s.note(tx, user, "node.create", "node "+n.Name, "", encode(n.Roles))
	})
}

func nonNil(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// NodeByToken finds the node that a token belongs to; forbidden when none.
func (s *Store) NodeByToken(ctx context.Context, token string) (cluster.Node, error) {
	var rows []nodeRow
	if err := s.read.WithContext(ctx).Where("token_hash = ?", HashToken(token)).Find(&rows).Error; err != nil {
		return cluster.Node{}, translate(err, "look up a node's token")
	}
	if len(rows) == 0 {
		return cluster.Node{}, badToken("the node token is not valid (make a new one with: aorta nodes token)")
	}
	return rows[0].node()
}

// SetNodeToken replaces a node's token.
func (s *Store) SetNodeToken(ctx context.Context, id cluster.ID, tokenHash string) error {
	return s.write(ctx, "set a node's token", func(tx *gorm.DB) error {
		return tx.Model(&nodeRow{}).Where("id = ?", string(id)).Update("token_hash", tokenHash).Error
	})
}

// Node finds a node by its id.
func (s *Store) Node(ctx context.Context, id cluster.ID) (cluster.Node, error) {
	var row nodeRow
	if err := s.read.WithContext(ctx).Where("id = ?", string(id)).Take(&row).Error; err != nil {
		return cluster.Node{}, translate(err, "find node "+string(id))
	}
	return row.node()
}

// NodeByName finds a node by its name, once it has joined.
func (s *Store) NodeByName(ctx context.Context, name string) (cluster.Node, error) {
	var rows []nodeRow
	if err := s.read.WithContext(ctx).Where("name = ?", name).Find(&rows).Error; err != nil {
		return cluster.Node{}, translate(err, "find node")
	}
	if len(rows) == 0 {
		return cluster.Node{}, cluster.NotFound("node %q does not exist (list them with: aorta nodes)", name)
	}
	if rows[0].JoinedAt == nil {
		return cluster.Node{}, cluster.NotFound("node %q has not joined yet: start aortad there with its token (a new one: aorta nodes token --name %[1]s)", name)
	}
	return rows[0].node()
}

// Nodes lists all nodes that have joined, by name.
func (s *Store) Nodes(ctx context.Context) ([]cluster.Node, error) {
	var rows []nodeRow
	if err := joined(s.read.WithContext(ctx)).Order("name").Find(&rows).Error; err != nil {
		return nil, translate(err, "list nodes")
	}
	return mapped(rows, nodeRow.node)
}

// JoinNode notes that a node's process has spoken, unless that is known.
func (s *Store) JoinNode(ctx context.Context, have cluster.Node) error {
	if have.JoinedAt != nil {
		return nil
	}
	return s.write(ctx, "note that a node joined", func(tx *gorm.DB) error {
		return tx.Model(&nodeRow{}).Where("id = ? AND joined_at IS NULL", string(have.ID)).Update("joined_at", s.now().UnixNano()).Error
	})
}

// UpdateNode records what a node reports of itself, its roles, address, tags and
// places, when that has changed.
func (s *Store) UpdateNode(ctx context.Context, have, now cluster.Node) error {
	if slices.Equal(have.Roles, now.Roles) && have.Address == now.Address && maps.Equal(have.Tags, now.Tags) && have.Places.Equal(now.Places) {
		return nil
	}
	return s.write(ctx, "update node", func(tx *gorm.DB) error {
		return tx.Model(&nodeRow{}).Where("id = ?", string(have.ID)).Updates(map[string]any{
			"roles": encode(now.Roles), "address": now.Address, "tags": encode(nonNil(now.Tags)),
			"addresses": list(now.Places.Addresses), "public": list(now.Places.Public),
		}).Error
	})
}

// noPlaces is the empty list in a column.
const noPlaces = "[]"

func list(texts []string) string {
	if len(texts) == 0 {
		return noPlaces
	}
	return encode(texts)
}
