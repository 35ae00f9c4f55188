package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"aorta/internal/atomicfile"
	"aorta/internal/pki"
	"aorta/pacemaker/cluster"
)

// identity is who this node is to its cluster. Its key and certificate lie beside the
// file that the rest is in, in the data directory's folder "node".
type identity struct {
	ID         cluster.ID     `json:"id"`
	Name       string         `json:"name"`
	Cluster    cluster.ID     `json:"cluster"`
	Roles      []cluster.Role `json:"roles"`
	Pacemakers []string       `json:"pacemakers"` // addresses of the nodes' API

	keys *pki.Identity
	path string
}

// openIdentity reads what joining has written; its ID is empty before that.
func (d *daemon) openIdentity() (*identity, error) {
	who := &identity{path: d.path("node", "node.json")}
	raw, err := os.ReadFile(who.path)
	if err == nil {
		err = json.Unmarshal(raw, who)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the node's identity in %s: %w", who.path, err)
	}
	who.keys, err = pki.OpenIdentity(d.path("node"))
	return who, err
}

// save keeps who the node is. With it, it has joined.
func (i *identity) save() error {
	raw, err := json.MarshalIndent(i, "", "  ")
	if err == nil {
		err = atomicfile.Write(i.path, append(raw, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the node's identity: %w", err)
	}
	return nil
}

// identify finds out who this node is: by what joining has written, or, beside the
// pacemaker, from the database, where it is entered at the first start.
func (d *daemon) identify(ctx context.Context, c *controller) (*identity, error) {
	who, err := d.openIdentity()
	if err != nil {
		return nil, err
	}
	if c != nil {
		return who, d.enter(ctx, c, who)
	}
	if who.ID == "" || who.keys.Certificate() == nil {
		return nil, cluster.Invalid("data_dir", "%s holds no node that has joined a cluster: aortad join https://ADDRESS:7421 --token TOKEN --data-dir %[1]s (the token: aorta nodes token)", d.cfg.DataDir)
	}
	if len(d.cfg.Pacemakers) > 0 {
		who.Pacemakers = d.cfg.Pacemakers
	}
	return who, nil
}

// enter makes the node beside the pacemaker known by its key, and signs that.
func (d *daemon) enter(ctx context.Context, c *controller, who *identity) error {
	hash, err := who.keys.KeyHash()
	if err != nil {
		return err
	}
	roles, err := cluster.ParseRoles("roles", d.cfg.Roles)
	if err != nil {
		return err
	}
	n, err := d.ownNode(ctx, c, who)
	switch {
	case cluster.CodeOf(err) == cluster.CodeNotFound:
		n = cluster.Node{ID: cluster.NewID(), Name: d.cfg.NodeName, Roles: roles, KeyHash: hash}
		err = c.store.CreateNode(ctx, n, "")
	case err == nil && n.KeyHash != hash:
		err = c.store.SetNodeKey(ctx, n.ID, hash)
	}
	if err != nil {
		return err
	}
	// Whoever writes the configuration here owns the cluster; other nodes have the
	// roles that they joined with.
	now := n
	now.Roles = roles
	if err := c.store.UpdateNode(ctx, n, now); err != nil {
		return err
	}
	cert, err := c.authority.Node(string(n.ID), who.keys.PublicKey())
	if err != nil {
		return err
	}
	if err := who.keys.Install(cert, c.authority.PEM()); err != nil {
		return err
	}
	who.ID, who.Name, who.Cluster, who.Roles, who.Pacemakers = n.ID, n.Name, c.cluster, roles, []string{c.nodeURL}
	return who.save()
}

// ownNode is the node that this one was at its last start, or the one of its name.
func (d *daemon) ownNode(ctx context.Context, c *controller, who *identity) (cluster.Node, error) {
	if who.ID != "" {
		n, err := c.store.Node(ctx, who.ID)
		if err == nil && n.RemovedAt == nil {
			return n, nil
		}
	}
	return c.store.NodeByName(ctx, d.cfg.NodeName)
}
