package pacemaker

import (
	"context"
	"slices"
	"strings"
	"time"

	"aorta/pacemaker/cluster"
)

// AddDomain gives an app a hostname.
func (p *Pacemaker) AddDomain(ctx context.Context, app cluster.App, host, user string) (cluster.Domain, error) {
	if err := cluster.ValidateHost("host", host); err != nil {
		return cluster.Domain{}, err
	}
	if err := p.notOwnSpace(ctx, host); err != nil {
		return cluster.Domain{}, err
	}
	d, err := p.store.AddDomain(ctx, app, host, user)
	if err != nil {
		return d, err
	}
	p.publishSoon(ctx)
	return d, nil
}

// publishSoon waits a moment until the published table has what was just written,
// and every live router answers by it, so that the caller finds it served. While
// the routes master is away the change stays in SQL and is published once it is
// back.
func (p *Pacemaker) publishSoon(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	pair, err := p.publish.Sync(ctx)
	if err == nil {
		err = p.Routers.AwaitAcks(ctx, pair, func(string) {})
	}
	if err != nil {
		p.log.Warn("a change of routes is not at every router yet", "err", err)
	}
}

// notOwnSpace keeps hosts in the cluster's own domain for the apps' names, and
// the dashboard's own host from any app: browsers send its cookies to every port.
// A domain of before is the cluster's own while apps are served there.
func (p *Pacemaker) notOwnSpace(ctx context.Context, host string) error {
	wild, isWild := strings.CutPrefix(host, "*")
	if p.cfg.OwnHost != "" && (host == p.cfg.OwnHost || isWild && strings.HasSuffix(p.cfg.OwnHost, wild)) {
		return cluster.Invalid("host", "%s is where the dashboard is reached (%s): an app there would be sent its sessions", host, p.cfg.OwnHost)
	}
	if cluster.Within(host, p.cfg.Domain) {
		return cluster.Invalid("host", "%s is in the cluster's own domain %s, where each app has its default domain", host, p.cfg.Domain)
	}
	former, err := p.store.FormerHosts(ctx)
	if err != nil {
		return err
	}
	for _, f := range former {
		if _, space, _ := strings.Cut(f.Host, "."); cluster.Within(host, space) {
			return cluster.Invalid("host", "%s is in %s, an earlier domain of the cluster, where apps are still served (app %q at %s)", host, space, f.App, f.Host)
		}
	}
	return nil
}

// allowedHosts checks the hosts that an app asks for itself; its own, and those
// that it has, may be among them.
func (p *Pacemaker) allowedHosts(ctx context.Context, app cluster.App, hosts []string) error {
	if len(hosts) == 0 {
		return nil
	}
	has, err := p.store.Domains(ctx, app.ID)
	if err != nil {
		return err
	}
	for _, host := range hosts {
		if host == p.OwnHost(app.Name) || slices.ContainsFunc(has, func(d cluster.Domain) bool { return d.Host == host }) {
			continue
		}
		if err := p.notOwnSpace(ctx, host); err != nil {
			return err
		}
	}
	return nil
}

// RemoveDomain takes a hostname from an app.
func (p *Pacemaker) RemoveDomain(ctx context.Context, app cluster.App, host, user string) error {
	if err := p.store.RemoveDomain(ctx, app, host, user); err != nil {
		return err
	}
	p.publishSoon(ctx)
	return nil
}
