package nodes

import (
	"context"
	"maps"
	"net/netip"
	"slices"

	"aorta/pacemaker/cluster"
)

// Shows records that a connection with a node's key came from an address: the node is
// there, and no node of another machine is any more. A loopback address, of one on this
// machine, shows nothing.
func (n *Nodes) Shows(ctx context.Context, node cluster.Node, from netip.Addr) error {
	if from.IsLoopback() {
		return nil
	}
	if !cluster.CanBeShown(from) {
		return cluster.Invalid("address", "%s can't be the address of one machine", from)
	}
	if slices.Contains(node.Shown, from.String()) {
		return nil
	}
	if len(node.Shown) >= mostShown {
		return cluster.Invalid("address", "node %s has shown %d addresses already", node.Name, mostShown)
	}
	all, err := n.members.now(ctx)
	if err != nil {
		return err
	}
	former := all.claims.Former(node, from)
	if err := n.cfg.Store.ShowAddresses(ctx, node.ID, []string{from.String()}, former...); err != nil {
		return err
	}
	n.origins.leave(former, from)
	n.cfg.Log.Info("a node has shown an address to be its own", "node", node.Name, "address", from)
	return nil
}

// mostShown bounds what one node has shown.
const mostShown = 128

// located gives the nodes, and the one that is heard as it stands among them, with what
// its connection shows; and it forgets what the node no longer says of itself.
func (n *Nodes) located(ctx context.Context, node cluster.Node, said cluster.Places) (*membership, cluster.Node, error) {
	all, node, err := n.known(ctx, node)
	if err != nil {
		return nil, node, err
	}
	changed, err := n.noteOrigin(ctx, node, said)
	if err == nil && !changed {
		changed, err = n.forgetFormer(ctx, node, said)
	}
	if err != nil || !changed {
		return all, node, err
	}
	return n.known(ctx, node)
}

// known is a node as it is recorded, with the others.
func (n *Nodes) known(ctx context.Context, node cluster.Node) (*membership, cluster.Node, error) {
	all, err := n.members.now(ctx)
	if err != nil {
		return nil, node, err
	}
	if i := slices.IndexFunc(all.list, func(o cluster.Node) bool { return o.ID == node.ID }); i >= 0 {
		node = all.list[i]
	}
	return all, node, nil
}

// noteOrigin records where the node connects from, for the next pacemaker; of one on
// this machine, which shows nothing, what it says.
func (n *Nodes) noteOrigin(ctx context.Context, node cluster.Node, said cluster.Places) (changed bool, err error) {
	from := n.origins.at(node.ID)
	if !from.IsLoopback() {
		if !cluster.CanBeShown(from) || slices.Contains(node.Shown, from.String()) {
			return false, nil
		}
		return true, n.Shows(ctx, node, from)
	}
	own := slices.DeleteFunc(slices.Clone(said.Addresses), func(a string) bool {
		return cluster.ValidateNodeAddress("address", a) != nil || slices.Contains(node.Shown, a)
	})
	if len(own) == 0 || len(node.Shown)+len(own) > mostShown {
		return false, nil
	}
	return true, n.cfg.Store.ShowAddresses(ctx, node.ID, own)
}

// forgetFormer takes back what the node has shown and no longer says.
func (n *Nodes) forgetFormer(ctx context.Context, node cluster.Node, said cluster.Places) (changed bool, err error) {
	if len(said.Addresses) == 0 {
		return false, nil // it says nothing of that
	}
	from := n.origins.at(node.ID).String()
	former := slices.DeleteFunc(slices.Clone(node.Shown), func(a string) bool {
		return a == from || a == node.Address || slices.Contains(said.Addresses, a)
	})
	if len(former) == 0 {
		return false, nil
	}
	return true, n.cfg.Store.ForgetAddresses(ctx, node.ID, former)
}

// place is what is taken of what a report says of where its node is.
type place struct {
	address   string                   // of its instances; empty: as it was
	instances []cluster.InstanceStatus // without those at addresses that it has not shown
	show      []string                 // what it is to show
}

// judgePlace keeps what the node has not shown apart, for people and for its next
// reports: routes and firewalls stay with what it showed last. have is all that the node
// is known to have.
func (n *Nodes) judgePlace(ctx context.Context, claims cluster.Claims, node cluster.Node, r cluster.Report, have []cluster.InstanceStatus) (place, error) {
	p := place{address: r.Address, show: claims.ToShow(node, r.Address, r.Places)}
	unshown := ""
	if !shown(claims, node, r.Address) {
		p.address, unshown = "", r.Address
	}
	unsure := map[cluster.ID]cluster.InstanceStatus{}
	for _, st := range slices.Concat(n.sessions.unsure(node.ID, r.Instances, have), r.Instances) {
		there := st.Gone || st.Address == r.Address && unshown == "" || st.Address != r.Address && shown(claims, node, st.Address)
		if there {
			p.instances = append(p.instances, st)
		} else {
			unsure[st.ID] = st
		}
	}
	if len(unsure) > 0 { // what was published there before is no news
		list, err := n.cfg.Store.InstancesOn(ctx, node.ID)
		if err != nil {
			return p, err
		}
		for _, in := range list {
			if st, is := unsure[in.ID]; is && in.PublishedAt(node.Address) == st.Address {
				p.instances = append(p.instances, st)
				delete(unsure, in.ID)
			}
		}
	}
	n.sessions.noteUnshown(node.ID, unshown, p.show, slices.Collect(maps.Keys(unsure)))
	return p, nil
}

// shown says whether a node has shown an address, or names none.
func shown(claims cluster.Claims, node cluster.Node, address string) bool {
	ip, err := netip.ParseAddr(address)
	return address == "" || err == nil && claims.Shown(node, ip)
}
