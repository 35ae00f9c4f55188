package store

import (
	"testing"
	"time"

	"gorm.io/gorm"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestStore_NodeWritesRiseWithEachWriteOfANode(t *testing.T) {
	s := openStore(t)
	ctx := t.Context()
	n := cluster.Node{ID: cluster.NewID(), Name: "n1", Roles: []cluster.Role{cluster.RoleHeart}, KeyHash: "key"}
	for _, c := range []struct {
		what  string
		rises bool
		do    func() error
	}{
		{"create", true, func() error { return s.CreateNode(ctx, n, "admin") }},
		{"another table", false, func() error { return s.write(ctx, "test", func(tx *gorm.DB) error { return put(tx, "key", 1) }) }},
		{"a read", false, func() error { _, err := s.Nodes(ctx); return err }},
		{"update", true, func() error {
			return s.UpdateNode(ctx, n, cluster.Node{Roles: n.Roles, Address: "10.0.0.1"})
		}},
		{"tags", true, func() error { _, err := s.SetTags(ctx, n, map[string]string{"ssd": "yes"}, "admin"); return err }},
		{"key", true, func() error { return s.SetNodeKey(ctx, n.ID, "other") }},
		{"revision", true, func() error {
			return s.write(ctx, "test", func(tx *gorm.DB) error { _, err := raiseRevision(tx, n.ID); return err })
		}},
		{"remove", true, func() error { _, err := s.RemoveNode(ctx, n, "admin"); return err }},
		{"delete", true, func() error { return s.DeleteFormerMembers(ctx, time.Now().Add(time.Hour)) }},
		{"a write that answers", true, func() error {
			return s.write(ctx, "test", func(tx *gorm.DB) error {
				var ids []string
				return tx.Raw("UPDATE nodes SET draining = true RETURNING id").Scan(&ids).Error
			})
		}},
	} {
		before := s.writer.nodes.count.Load()

		testkit.Must(t, c.do())

		if rose := s.writer.nodes.count.Load() > before; rose != c.rises {
			t.Errorf("%s: got a rise %v, want %v", c.what, rose, c.rises)
		}
	}
}
