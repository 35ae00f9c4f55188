package nodes

import (
	"cmp"
	"context"
	"slices"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// Hello opens a node's session. A node plays the roles that its token was made
// for, no others: what each role may see hangs on them.
func (n *Nodes) Hello(ctx context.Context, node cluster.Node, hello cluster.Hello) error {
	err := n.hello(ctx, node, hello)
	if err != nil && cluster.CodeOf(err).RefusesNode() {
		n.Refuses(node, err)
	}
	if err == nil {
		n.accepted(node.ID)
	}
	return err
}

func (n *Nodes) hello(ctx context.Context, node cluster.Node, hello cluster.Hello) error {
	if !sameRoles(node.Roles, hello.Roles) {
		return cluster.Forbidden("node %q was made for the roles %s, and its process has %s: start it with --roles %[2]s, or make a token for another node", node.Name, cluster.RoleNames(node.Roles), cluster.RoleNames(hello.Roles))
	}
	if err := validAddress(hello.Address); err != nil {
		return err
	}
	all, node, err := n.located(ctx, node, cluster.Places{})
	if err != nil {
		return err
	}
	if err := all.claims.CheckAddress(node, hello.Address); err != nil {
		return err
	}
	if err := n.begin(ctx, node, hello); err != nil {
		return err
	}
	now := node
	if shown(all.claims, node, hello.Address) {
		now.Address = cmp.Or(hello.Address, node.Address)
	}
	if err := n.update(ctx, node, now); err != nil || node.Has(cluster.RoleHeart) { // whose report says what it has
		return err
	}
	return n.welcomeBack(ctx, node)
}

// begin opens the session, with a lease of its own. The node beside the pacemaker
// needs none: its disk has the database.
func (n *Nodes) begin(ctx context.Context, node cluster.Node, hello cluster.Hello) (err error) {
	n.hellos.Lock()
	defer n.hellos.Unlock()
	again, err := n.sessions.check(node, hello)
	if err != nil || again {
		return err
	}
	var lease cluster.Lease
	if !node.Has(cluster.RolePacemaker) {
		ask := store.LeaseRequest{Presented: hello.Lease, Copied: hello.Copied, Holder: machine(hello)}
		if lease, err = n.cfg.Store.TakeLease(ctx, node, ask); err != nil {
			return err
		}
	}
	n.sessions.begin(node, hello, lease)
	return nil
}

// Lease is what a session was given; "" for none.
func (n *Nodes) Lease(node cluster.ID, session string) cluster.Lease {
	return n.sessions.lease(node, session)
}

// useLease notes with the first report of a session that its lease is on the node's disk.
func (n *Nodes) useLease(ctx context.Context, node cluster.ID, session string) error {
	lease := n.sessions.unused(node, session)
	if lease == "" {
		return nil
	}
	if err := n.cfg.Store.UseLease(ctx, node, lease); err != nil {
		return err
	}
	n.sessions.used(node, lease)
	return nil
}

func sameRoles(a, b []cluster.Role) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// validAddress keeps one node's mistake out of the routing table, which is
// published whole or not at all. A node that does not know its address yet
// keeps the one it had, and its routes with it.
func validAddress(address string) error {
	if address == "" {
		return nil
	}
	return cluster.ValidateNodeAddress("address", address)
}
