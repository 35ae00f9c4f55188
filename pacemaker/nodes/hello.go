package nodes

import (
	"cmp"
	"context"
	"slices"

	"aorta/pacemaker/cluster"
)

// Hello opens a node's session. A node plays the roles that its token was made
// for, no others: what each role may see hangs on them.
func (n *Nodes) Hello(ctx context.Context, node cluster.Node, hello cluster.Hello) error {
	if !sameRoles(node.Roles, hello.Roles) {
		return cluster.Forbidden("node %q was made for the roles %s, and its process has %s: start it with --roles %[2]s, or make a token for another node", node.Name, cluster.RoleNames(node.Roles), cluster.RoleNames(hello.Roles))
	}
	if err := validAddress(hello.Address); err != nil {
		return err
	}
	if err := n.sessions.begin(node, hello); err != nil {
		return err
	}
	now := node
	now.Address = cmp.Or(hello.Address, node.Address)
	return n.update(ctx, node, now)
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
