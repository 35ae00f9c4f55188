package store

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

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
	SetTags   string
	KeyHash   string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	RemovedAt *int64
	Addresses string
	Public    string
	Shown     string // see shown.go

	Losses     int   // see nodestates.go
	LostAt     int64 `gorm:"autoCreateTime:false"`
	ReturnedAt int64 `gorm:"autoCreateTime:false"`

	DeclaredDead bool  // see nodestates.go
	SilentFor    int64 // nanoseconds

	Lease       cluster.Lease // see leases.go
	NextLease   cluster.Lease
	LeaseHolder string
	LeasedAt    int64 `gorm:"autoCreateTime:false"`
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
	set, err := decode[map[string]string](r.SetTags, "a node's set tags")
	if err != nil {
		return cluster.Node{}, err
	}
	maps.Copy(tags, set)
	addresses, err := decode[[]string](r.Addresses, "a node's addresses")
	if err != nil {
		return cluster.Node{}, err
	}
	public, err := decode[[]string](r.Public, "a node's public addresses")
	if err != nil {
		return cluster.Node{}, err
	}
	shown, err := decode[[]string](r.Shown, "the addresses that a node has shown")
	name, _, _ := strings.Cut(r.Name, removedMark)
	return cluster.Node{
		ID: cluster.ID(r.ID), Name: name, Roles: roles, Address: r.Address, State: cluster.NodeState(r.State),
		Places: cluster.Places{Addresses: addresses, Public: public}, Shown: shown, Draining: r.Draining, Revision: r.Revision, Tags: tags, SetTags: set, KeyHash: r.KeyHash,
		Losses: r.Losses, LostAt: toTime(r.LostAt), ReturnedAt: toTime(r.ReturnedAt), DeclaredDead: r.DeclaredDead, SilentFor: time.Duration(r.SilentFor), CreatedAt: toTime(r.CreatedAt), RemovedAt: toTimePtr(r.RemovedAt),
	}, err
}

// removedMark is between the name and the id of a node that was removed: its name is
// free for another one.
const removedMark = "~"

// present narrows a query down to the nodes that there are.
func present(tx *gorm.DB) *gorm.DB { return tx.Where("removed_at IS NULL") }

// CreateNode keeps a node with its key; its tags are those that are set.
func (s *Store) CreateNode(ctx context.Context, n cluster.Node, user string) error {
	return s.write(ctx, "create node", func(tx *gorm.DB) error { return s.createNode(tx, n, user) })
}

func (s *Store) createNode(tx *gorm.DB, n cluster.Node, user string) error {
	var have int64
	if err := tx.Model(&nodeRow{}).Where("name = ?", n.Name).Count(&have).Error; err != nil {
		return err
	}
	if have > 0 {
		return nameTaken(n.Name)
	}
	err := tx.Create(&nodeRow{
		ID: string(n.ID), Name: n.Name, Roles: encode(n.Roles), Address: n.Address, State: string(cluster.NodeReady),
		Tags: encode(nonNil(nil)), SetTags: encode(nonNil(n.SetTags)), Addresses: noPlaces, Public: noPlaces, Shown: noPlaces, KeyHash: n.KeyHash, CreatedAt: s.now().UnixNano(),
	}).Error
	if err != nil {
		return err
	}
	return s.note(tx, user, "node.create", "node "+n.Name, "", encode(n.Roles))
}

func nameTaken(name string) error {
	return cluster.Conflict("node %q exists already: choose another name (--node-name), or take its place if that machine was rebuilt (--replace)", name)
}

func nonNil(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// NodeByKey finds the node with that key; forbidden when none, and removed when one
// had it.
func (s *Store) NodeByKey(ctx context.Context, keyHash string) (cluster.Node, error) {
	list, err := s.nodes.now(ctx, s)
	if err != nil {
		return cluster.Node{}, err
	}
	i, known := list.byKey[keyHash]
	if !known {
		return cluster.Node{}, s.formerMember(ctx, keyHash)
	}
	return list.nodes[i], nil
}

// formerMember is the refusal of a key that no node has. That a node was removed is
// known by the token that it joined with: to a database that was restored from before
// its join, it is a stranger, which ends nothing that runs.
func (s *Store) formerMember(ctx context.Context, keyHash string) error {
	var joined int64
	if err := s.read.WithContext(ctx).Model(&joinUseRow{}).Where("key_hash = ?", keyHash).Count(&joined).Error; err != nil {
		return translate(err, "look up who joined with a key")
	}
	if joined > 0 {
		return &cluster.Error{Code: cluster.CodeRemoved, Message: "this node is not in the cluster: it was removed, or another machine has taken its place (join it again with: aortad join)"}
	}
	return badToken("this node is not in the cluster, and none with its key has joined it (join it with: aortad join)")
}

// SetNodeKey replaces a node's key.
func (s *Store) SetNodeKey(ctx context.Context, id cluster.ID, keyHash string) error {
	return s.write(ctx, "set a node's key", func(tx *gorm.DB) error {
		return tx.Model(&nodeRow{}).Where("id = ?", string(id)).Update("key_hash", keyHash).Error
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

// NodeByName finds a node by its name.
func (s *Store) NodeByName(ctx context.Context, name string) (cluster.Node, error) {
	var rows []nodeRow
	if err := present(s.read.WithContext(ctx)).Where("name = ?", name).Find(&rows).Error; err != nil {
		return cluster.Node{}, translate(err, "find node")
	}
	if len(rows) == 0 {
		return cluster.Node{}, cluster.NotFound("node %q does not exist (list them with: aorta nodes)", name)
	}
	return rows[0].node()
}

// Nodes lists all nodes, by name.
func (s *Store) Nodes(ctx context.Context) ([]cluster.Node, error) {
	list, err := s.nodes.now(ctx, s)
	return slices.Clone(list.nodes), err
}

func (s *Store) readNodes(ctx context.Context) ([]cluster.Node, error) {
	var rows []nodeRow
	if err := present(s.read.WithContext(ctx)).Order("name").Find(&rows).Error; err != nil {
		return nil, translate(err, "list nodes")
	}
	return mapped(rows, nodeRow.node)
}

// UpdateNode records what a node reports of itself, its roles, address, tags and
// places, when that has changed. Tags that were set stay.
func (s *Store) UpdateNode(ctx context.Context, have, now cluster.Node) error {
	merged := maps.Clone(nonNil(now.Tags))
	maps.Copy(merged, have.SetTags)
	if slices.Equal(have.Roles, now.Roles) && have.Address == now.Address && maps.Equal(have.Tags, merged) && have.Places.Equal(now.Places) {
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

// SetTags changes the tags that are set on a node: a key without a value goes.
func (s *Store) SetTags(ctx context.Context, node cluster.Node, change map[string]string, user string) (cluster.Node, error) {
	err := s.write(ctx, "set a node's tags", func(tx *gorm.DB) error {
		var row nodeRow
		if err := present(tx).Where("id = ?", string(node.ID)).Take(&row).Error; err != nil {
			return translate(err, "find node "+node.Name)
		}
		before := row.SetTags
		set, err := decode[map[string]string](row.SetTags, "a node's set tags")
		if err != nil {
			return err
		}
		for key, value := range change {
			if value == "" {
				delete(set, key)
			} else {
				set[key] = value
			}
		}
		if err := cluster.ValidateTags("tags", set); err != nil {
			return err
		}
		row.SetTags = encode(set)
		if err := tx.Model(&row).Update("set_tags", row.SetTags).Error; err != nil {
			return err
		}
		return s.note(tx, user, "node.tag", "node "+node.Name, before, row.SetTags)
	})
	if err != nil {
		return node, err
	}
	return s.Node(ctx, node.ID)
}
