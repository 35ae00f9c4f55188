package pacemaker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"aorta/internal/gitrepo"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// outdated ends a pacemaker whose state is older than what the cluster has
// seen: the next start takes a higher epoch.
func (p *Pacemaker) outdated(seen uint64, who string) error {
	p.log.Error("a higher epoch is about: the state of this pacemaker is older than the cluster", "epoch", p.epoch, "seen", seen, "from", who)
	return cluster.Unavailable("%s has seen epoch %d, this pacemaker has %d: restart aortad so that it takes a higher one", who, seen, p.epoch)
}

// begin writes an operation down and gets its tree planted.
func (p *Pacemaker) begin(ctx context.Context, op cluster.Operation, parts ...store.Part) (cluster.Operation, error) {
	if op.ID == "" {
		op.ID = cluster.NewID()
	}
	if err := p.store.Begin(ctx, op, parts...); err != nil {
		return cluster.Operation{}, err
	}
	p.announce()
	return op, nil
}

// repo is an app's git repository.
func (p *Pacemaker) repo(app cluster.ID) gitrepo.Repo {
	return gitrepo.Repo{Dir: p.cfg.ReposDir + "/" + string(app) + ".git"}
}

// Repo gives an app's git repository, made at its first use.
func (p *Pacemaker) Repo(ctx context.Context, app cluster.App) (gitrepo.Repo, error) {
	return gitrepo.Init(ctx, p.repo(app.ID).Dir)
}

// OwnHost is the host that an app has by its name.
func (p *Pacemaker) OwnHost(name string) string { return name + "." + p.cfg.Domain }

// AppURL is where an app's own host is reached through a router.
func (p *Pacemaker) AppURL(app cluster.App) string {
	return fmt.Sprintf(p.cfg.RouterURL, p.OwnHost(app.Name))
}

func (p *Pacemaker) allowedName(name string) error {
	if err := cluster.ValidateName("name", name); err != nil {
		return err
	}
	if host := p.OwnHost(name); host == p.cfg.OwnHost {
		return cluster.Invalid("name", "%s would be served at %s, where the dashboard is reached; choose another name", name, host)
	}
	return nil
}

// CreateApp makes an app.
func (p *Pacemaker) CreateApp(ctx context.Context, name, user string) (cluster.App, error) {
	if err := p.allowedName(name); err != nil {
		return cluster.App{}, err
	}
	return p.store.CreateApp(ctx, name, p.OwnHost(name), user)
}

// RenameApp gives an app another name, and with it another host of its own.
func (p *Pacemaker) RenameApp(ctx context.Context, app cluster.App, name string, version int, user string) (cluster.App, error) {
	if err := p.allowedName(name); err != nil {
		return cluster.App{}, err
	}
	if err := p.store.RenameApp(ctx, app.ID, name, p.OwnHost(name), version, user); err != nil {
		return cluster.App{}, err
	}
	p.publish.wake()
	return p.store.AppByID(ctx, app.ID)
}

// DestroyApp begins the end of an app; confirm must be its name.
func (p *Pacemaker) DestroyApp(ctx context.Context, app cluster.App, confirm, user string) (cluster.Operation, error) {
	if confirm != app.Name {
		return cluster.Operation{}, cluster.Invalid("confirm", "must be the app's name, %q: its releases, config, domains and logs go for good", app.Name)
	}
	return p.begin(ctx, cluster.Operation{Kind: cluster.OpDestroy, AppID: app.ID, Title: "Destroy " + app.Name, User: user, Args: opArgs{}.encode()}, store.WithDestroying())
}

// ChangeConfig sets and unsets config vars. With a release that serves, a new
// one with the new vars is rolled out; without, nothing is, and the operation
// has no id.
func (p *Pacemaker) ChangeConfig(ctx context.Context, app cluster.App, set map[string]string, unset []string, user string) (cluster.Operation, error) {
	if err := validateConfig(set, unset); err != nil {
		return cluster.Operation{}, err
	}
	current, err := p.currentRelease(ctx, app)
	if err != nil {
		return cluster.Operation{}, err
	}
	if current.ID == "" {
		return cluster.Operation{}, p.store.ChangeConfig(ctx, app, set, unset, user)
	}
	args := opArgs{Build: current.BuildID, Commit: current.Commit, Message: configMessage(set, unset), Cause: "config"}
	return p.begin(ctx, cluster.Operation{
		Kind: cluster.OpRelease, AppID: app.ID, Title: "Change config vars of " + app.Name, User: user, Args: args.encode(),
	}, store.WithConfig(app, set, unset))
}

func validateConfig(set map[string]string, unset []string) error {
	if len(set)+len(unset) == 0 {
		return cluster.Invalid("set", "names no config var")
	}
	for key, value := range set {
		if err := cluster.ValidateConfigKey("set."+key, key); err != nil {
			return err
		}
		if err := cluster.ValidateConfigValue("set."+key, value); err != nil {
			return err
		}
	}
	for i, key := range unset {
		if err := cluster.ValidateConfigKey(fmt.Sprintf("unset[%d]", i), key); err != nil {
			return err
		}
	}
	return nil
}

// configMessage names keys, never values.
func configMessage(set map[string]string, unset []string) string {
	return fmt.Sprintf("%d config vars set, %d unset", len(set), len(unset))
}

// Rollback rolls out the image and process types of an earlier release, with
// today's config vars, as a new release. Number 0 means the one before the
// present one.
func (p *Pacemaker) Rollback(ctx context.Context, app cluster.App, number int, user string) (cluster.Operation, error) {
	current, err := p.currentRelease(ctx, app)
	if err != nil {
		return cluster.Operation{}, err
	}
	to, err := p.rollbackTarget(ctx, app, current, number)
	if err != nil {
		return cluster.Operation{}, err
	}
	args := opArgs{Build: to.BuildID, Commit: to.Commit, Message: "rollback to " + to.Label(), Cause: "rollback to " + to.Label()}
	return p.begin(ctx, cluster.Operation{
		Kind: cluster.OpRelease, AppID: app.ID, Title: fmt.Sprintf("Roll %s back to %s", app.Name, to.Label()), User: user, Args: args.encode(),
	})
}

func (p *Pacemaker) rollbackTarget(ctx context.Context, app cluster.App, current cluster.Release, number int) (cluster.Release, error) {
	if number != 0 {
		to, err := p.store.ReleaseByNumber(ctx, app, number)
		if err == nil && to.State == cluster.ReleaseFailed {
			err = cluster.Invalid("release", "%s never served: %s", to.Label(), to.Error)
		}
		if err == nil && to.ID == current.ID {
			err = cluster.Conflict("%s serves already", to.Label())
		}
		return to, err
	}
	list, err := p.store.Releases(ctx, app.ID, current.Number, 100)
	if err != nil {
		return cluster.Release{}, err
	}
	for _, r := range list {
		if r.State == cluster.ReleaseRetired && r.BuildID != current.BuildID {
			return r, nil
		}
	}
	for _, r := range list {
		if r.State == cluster.ReleaseRetired {
			return r, nil
		}
	}
	return cluster.Release{}, cluster.NotFound("app %q has no earlier release that served", app.Name)
}

// AddDomain gives an app a hostname.
func (p *Pacemaker) AddDomain(ctx context.Context, app cluster.App, host, user string) (cluster.Domain, error) {
	if err := cluster.ValidateHost("host", host); err != nil {
		return cluster.Domain{}, err
	}
	if err := p.notOwnSpace(host); err != nil {
		return cluster.Domain{}, err
	}
	d, err := p.store.AddDomain(ctx, app, host, user)
	if err != nil {
		return d, err
	}
	p.publishSoon(ctx)
	return d, nil
}

// publishSoon waits a little for the table to show what SQL has by now, so that
// whoever asked finds it served. While the routes master is away it is written
// all the same, and published when that is back.
func (p *Pacemaker) publishSoon(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if _, err := p.publish.Sync(ctx); err != nil {
		p.log.Warn("a change of hosts is not published yet", "err", err)
	}
}

// notOwnSpace keeps hosts in the cluster's own domain for the apps' names, and
// the dashboard's own host from any app: browsers send its cookies to every port.
func (p *Pacemaker) notOwnSpace(host string) error {
	wild, isWild := strings.CutPrefix(host, "*")
	if p.cfg.OwnHost != "" && (host == p.cfg.OwnHost || isWild && strings.HasSuffix(p.cfg.OwnHost, wild)) {
		return cluster.Invalid("host", "%s is where the dashboard is reached (%s): an app there would be sent its sessions", host, p.cfg.OwnHost)
	}
	if host == p.cfg.Domain || len(host) > len(p.cfg.Domain) && host[len(host)-len(p.cfg.Domain)-1:] == "."+p.cfg.Domain {
		return cluster.Invalid("host", "%s lies in the cluster's own domain %s, where each app has the host of its name", host, p.cfg.Domain)
	}
	return nil
}

// allowedHosts checks the hosts that an app asks for itself; its own may be
// among them.
func (p *Pacemaker) allowedHosts(app cluster.App, hosts []string) error {
	for _, host := range hosts {
		if err := p.notOwnSpace(host); err != nil && host != p.OwnHost(app.Name) {
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
