package membership

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/netip"
	"net/url"
	"time"

	"aorta/internal/pki"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// CreateToken makes a token that nodes join with; its text is shown this once.
func (m *Membership) CreateToken(ctx context.Context, t cluster.JoinToken, life time.Duration, user string) (cluster.JoinToken, string, error) {
	now := m.cfg.Now()
	t.ID, t.Uses, t.CreatedBy, t.CreatedAt = cluster.NewID(), cmp.Or(t.Uses, 1), user, now
	t.ExpiresAt = now.Add(cmp.Or(life, cluster.DefaultJoinLife))
	if err := t.Validate(now); err != nil {
		return t, "", err
	}
	text := cluster.NewJoinToken(rand.Text(), m.cfg.Authority.Fingerprint())
	return t, text, m.cfg.Store.CreateJoinToken(ctx, t, store.HashToken(text), user)
}

// Join makes a node of one that shows a token, and signs its key. Asked again with the
// same token and key, it answers the same.
func (m *Membership) Join(ctx context.Context, j cluster.Join) (cluster.Joined, error) {
	key, err := pki.ReadRequest([]byte(j.Request))
	if err != nil {
		return cluster.Joined{}, cluster.Invalid("request", "%v", err)
	}
	hash, err := pki.KeyHash(key)
	if err != nil {
		return cluster.Joined{}, err
	}
	if err := validJoin(j); err != nil {
		return cluster.Joined{}, err
	}
	node, err := m.cfg.Store.Join(ctx, store.JoiningNode{Join: j, KeyHash: hash, InUse: m.inUse})
	if err != nil {
		return cluster.Joined{}, err
	}
	m.cfg.Log.Info("a node has joined", "node", node.Name, "host", j.Hostname, "address", j.Address)
	cert, err := m.cfg.Authority.Node(string(node.ID), key)
	return cluster.Joined{
		Cluster: m.cfg.Cluster, NodeID: node.ID, NodeName: node.Name, Roles: node.Roles,
		Certificate: string(cert), Authority: string(m.cfg.Authority.PEM()), Pacemakers: m.cfg.Pacemakers(),
	}, err
}

func validJoin(j cluster.Join) error {
	if err := cluster.ValidateNodeName("name", j.Name); err != nil {
		return err
	}
	for _, r := range j.Roles {
		if err := cluster.ValidateJoiningRole("roles", r); err != nil {
			return err
		}
	}
	if j.Address == "" {
		return nil
	}
	return cluster.ValidateNodeAddress("address", j.Address)
}

// inUse refuses to replace a node whose process is heard.
func (m *Membership) inUse(node cluster.Node) error {
	if m.cfg.Nodes.Unheard(node) {
		return nil
	}
	first, open := m.cfg.Nodes.Process(node.ID)
	if !open {
		return cluster.Conflict("node %q may still be at work: this pacemaker has started just now; ask again once the node is silent for %s", node.Name, m.cfg.DeadAfter)
	}
	return cluster.Conflict("node %q is at work on %s: stop it there first, or choose another name (--node-name)", node.Name, first)
}

// Renew signs a node's key once more.
func (m *Membership) Renew(node cluster.Node, request string) (string, error) {
	key, err := pki.ReadRequest([]byte(request))
	if err != nil {
		return "", cluster.Invalid("request", "%v", err)
	}
	hash, err := pki.KeyHash(key)
	if err != nil {
		return "", err
	}
	if hash != node.KeyHash {
		return "", cluster.Forbidden("node %q asks for a certificate for another key than it joined with: join it again (aortad join)", node.Name)
	}
	cert, err := m.cfg.Authority.Node(string(node.ID), key)
	return string(cert), err
}

// JoinAddress is where nodes join, and whether other machines can reach it.
func (m *Membership) JoinAddress() (address string, reachable bool) {
	for _, address := range m.cfg.Pacemakers() {
		u, err := url.Parse(address)
		if err != nil {
			continue
		}
		ip, err := netip.ParseAddr(u.Hostname())
		return address, err != nil || !ip.IsLoopback()
	}
	return "https://ADDRESS:7421", false
}
