package main

import (
	"context"
	"net/http"
	"os"

	"aorta/internal/config"
	"aorta/internal/pki"
	"aorta/internal/watch"
	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/images"
	"aorta/pacemaker/registry"
)

// imageRegistry is where nodes take one another's images from: the pacemaker's own, or
// the operator's.
type imageRegistry interface {
	images.Registry
	pacemaker.AppData
	For(node string) http.Handler
	Moved() map[string]registry.Moved
	Damaged() int64
	Close() error
}

func (c *controller) openRegistry(ctx context.Context) (err error) {
	secret := c.d.secrets.password("registry", "uploads")
	if c.d.cfg.RegistryURL == "" {
		c.images, err = registry.Open(ctx, registry.Config{Dir: c.d.path("registry"), Secret: secret, Log: c.d.log})
	} else {
		c.images, err = c.d.outsideRegistry(secret)
	}
	if err == nil {
		c.d.onClose(func() { _ = c.images.Close() })
	}
	return err
}

func (d *daemon) outsideRegistry(secret string) (*registry.Outside, error) {
	at, err := config.ParseRegistryURL("registry_url", d.cfg.RegistryURL)
	if err != nil {
		return nil, err
	}
	cfg := registry.OutsideConfig{URL: at, Login: d.cfg.RegistryLogin, Secret: secret, Log: d.log}
	if d.cfg.RegistryCA == "" {
		return registry.NewOutside(cfg), nil
	}
	pem, err := os.ReadFile(d.cfg.RegistryCA)
	if err != nil {
		return nil, cluster.Invalid("registry_ca", "can't be read: %v", err)
	}
	if cfg.Trust, err = pki.Client(string(pem), ""); err != nil {
		return nil, cluster.Invalid("registry_ca", "%v", err)
	}
	return registry.NewOutside(cfg), nil
}

// watchRegistry follows the operator's registry. Nothing but transfers fails without it.
func (c *controller) watchRegistry() {
	outside, is := c.images.(*registry.Outside)
	if !is {
		return
	}
	c.d.follow(watch.Probe{
		Kind: cluster.PartRegistry, Name: "image registry", Roles: []cluster.Role{cluster.RolePacemaker},
		Silent: "The registry at " + c.d.cfg.RegistryURL + " does not answer: images can't be pushed or pulled, apps go on serving.",
		Use: func(ctx context.Context) error {
			if err := outside.Check(ctx); err != nil {
				return watch.Minor(err)
			}
			return nil
		},
	})
}
