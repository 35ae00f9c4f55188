package main

import (
	"context"
	"log/slog"
	"os/exec"
	"path/filepath"
	"time"

	"aorta/heart/docker"
	"aorta/heart/images"
	"aorta/internal/pki"
	"aorta/pacemaker/cluster"
	"aorta/web/client"
)

// rig is a heart's end in this process, and the pacemaker's in another.
type rig struct {
	at      ends
	server  *exec.Cmd
	node    *client.Node
	engine  *docker.Engine
	carrier *images.Carrier
	app     cluster.ID
	stop    func()
}

func begin(ctx context.Context, dir, host string) (*rig, error) {
	r := &rig{app: cluster.NewID()}
	id := cluster.NewID()
	own, err := identity(dir, id)
	if err != nil {
		return nil, err
	}
	if r.server, r.at, err = child(ctx, dir); err != nil {
		return nil, err
	}
	trust, err := own.Trust()
	if err != nil {
		return nil, err
	}
	if r.node, err = client.NewNode([]string{"https://" + r.at.Nodes}, string(id), trust); err != nil {
		return nil, err
	}
	if r.engine, err = docker.Open(docker.Options{Host: host, Cluster: cluster.NewID()}); err != nil {
		return nil, err
	}
	proxy, err := images.Listen("127.0.0.1:0", r.node, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	serving, stop := context.WithCancel(ctx)
	r.stop = stop
	go func() { _ = proxy.Run(serving) }() // ends with stop
	r.carrier = &images.Carrier{Engine: r.engine, Proxy: proxy, Node: "n1", Log: slog.New(slog.DiscardHandler)}
	return r, nil
}

// identity makes an authority and a node that it has signed for.
func identity(dir string, id cluster.ID) (*pki.Identity, error) {
	authority, err := pki.Open(filepath.Join(dir, "pki"), true)
	if err != nil {
		return nil, err
	}
	own, err := pki.OpenIdentity(filepath.Join(dir, "node"))
	if err != nil {
		return nil, err
	}
	cert, err := authority.Node(string(id), own.PublicKey())
	if err != nil {
		return nil, err
	}
	return own, own.Install(cert, authority.PEM())
}

func (r *rig) end() {
	r.stop()
	r.node.Close()
	_ = r.engine.Close()
	_ = r.server.Process.Kill()
	_ = r.server.Wait()
}

// timed is how long a pull of an image takes that is not there, in one way.
func (r *rig) timed(ctx context.Context, img images.Wanted, pull func(context.Context, images.Wanted) (name string, err error)) (time.Duration, error) {
	start := time.Now()
	name, err := pull(ctx, img)
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	return took, r.engine.Untag(ctx, name)
}

func (r *rig) byHeart(ctx context.Context, img images.Wanted) (string, error) {
	return img.Image.Ref, r.carrier.Pull(ctx, img, func(string) {})
}

func (r *rig) byEngine(ctx context.Context, img images.Wanted) (string, error) {
	ref := r.at.Bare + "/" + string(img.App) + "@" + img.Image.Pushed
	return ref, r.engine.Fetch(ctx, ref, docker.Credentials{}, func(docker.Layer) {})
}
