package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/idna"

	"aorta/internal/atomicfile"
	"aorta/internal/pki"
	"aorta/internal/seal"
	"aorta/jobs"
	"aorta/jobs/redisconn"
	"aorta/jobs/redisq"
	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/logstore"
	"aorta/pacemaker/store"
	"aorta/router/stats"
	"aorta/router/table"
	"aorta/web/client/contexts"
)

// adminUser is the first user, made at the first start.
const adminUser = "admin"

// controller is the pacemaker role with its servers.
type controller struct {
	d         *daemon
	m         *masters
	jobs      *redisconn.Redis
	claimed   <-chan struct{} // closed once the jobs are this pacemaker's
	store     *store.Store
	authority *pki.Authority
	pace      *pacemaker.Pacemaker
	numbers   appNumbers
	logs      *logstore.Store
	images    imageRegistry
	cluster   cluster.ID
	url       string // of the API
	nodeURL   string // of the nodes' API
	other     secondListener
}

func (d *daemon) openController(ctx context.Context) (*controller, error) {
	c := &controller{d: d}
	var err error
	if err := c.openState(ctx); err != nil {
		return nil, err
	}
	if c.m, err = d.openMasters(ctx, c); err != nil {
		return nil, err
	}
	if err := c.openJobsRedis(ctx); err != nil {
		return nil, err
	}
	if err := c.openPacemaker(ctx); err != nil {
		return nil, err
	}
	if err := c.serve(); err != nil {
		return nil, err
	}
	if err := c.awaitClaim(ctx); err != nil {
		return nil, err
	}
	return c, c.writeContext()
}

// openState opens SQL and the log store, and makes the first admin.
func (c *controller) openState(ctx context.Context) error {
	d := c.d
	cfg := store.Config{Dir: d.cfg.DataDir, Log: d.log}
	madeBefore, err := store.Exists(cfg)
	if err != nil {
		return err
	}
	if cfg.Sealer, err = seal.Open(d.path("config.key"), !madeBefore); err != nil {
		return err
	}
	if c.store, err = store.Open(ctx, cfg); err != nil {
		return err
	}
	d.onClose(func() { _ = c.store.Close() })
	if c.cluster, err = c.store.Cluster(ctx); err != nil {
		return err
	}
	if err := atomicfile.Write(d.path("cluster.id"), []byte(string(c.cluster)+"\n"), 0o644); err != nil {
		return err
	}
	if err := c.makeAdmin(ctx); err != nil {
		return err
	}
	if err := c.openAuthority(ctx); err != nil {
		return err
	}
	if c.logs, err = logstore.Open(d.path("logs"), logstore.Config{}, d.log); err != nil {
		return err
	}
	d.onClose(func() { _ = c.logs.Close() })
	d.loop("log store", c.logs.Run)
	return c.openRegistry(ctx)
}

// openAuthority opens the authority that the cluster's nodes trust, and makes it at the
// first start that has one. One that is lost is not made again behind their backs.
func (c *controller) openAuthority(ctx context.Context) (err error) {
	known, err := c.store.Authority(ctx)
	if err != nil {
		return err
	}
	if c.authority, err = pki.Open(c.d.path("pki"), known == ""); err != nil {
		return err
	}
	if life, err := time.ParseDuration(os.Getenv("AORTAD_NODE_LIFE")); err == nil { // of tests
		c.authority.SetNodeLife(life)
	}
	if known == "" {
		return c.store.SetAuthority(ctx, c.authority.Fingerprint())
	}
	if got := c.authority.Fingerprint(); got != known {
		return cluster.Conflict("%s holds the authority %.12s…, and the nodes of this cluster trust %.12s…: bring that back from a backup", c.d.path("pki"), got, known)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// makeAdmin writes the token file before the database knows the token: a crash
// in between leaves a file that the next start uses.
func (c *controller) makeAdmin(ctx context.Context) error {
	path := c.d.path("admin.token")
	raw, err := os.ReadFile(path)
	token := strings.TrimSpace(string(raw))
	lost := err != nil
	if lost {
		token = "aorta_" + rand.Text()
		if err := atomicfile.Write(path, []byte(token+"\n"), 0o600); err != nil {
			return err
		}
	}
	made, err := c.store.Bootstrap(ctx, adminUser, token)
	if err == nil && !made && lost {
		err = c.store.ReplaceToken(ctx, adminUser, token)
	}
	return err
}

func (c *controller) openPacemaker(ctx context.Context) error {
	d := c.d
	publisher := table.NewPublisher(c.m.routes.Client(), string(c.cluster), d.session)
	highest, err := publisher.Highest(ctx)
	if err != nil {
		return fmt.Errorf("read the published routes: %w", err)
	}
	epoch, err := c.store.RaiseEpoch(ctx, highest.Epoch)
	if err != nil {
		return err
	}
	if err := c.store.RaiseGeneration(ctx, highest.Generation); err != nil {
		return err
	}
	counted := stats.NewStore(c.m.stats.Client())
	c.numbers = newAppNumbers(counted)
	c.pace = pacemaker.New(pacemaker.Config{
		Domain: d.cfg.Domain, OwnHost: d.ownHost(), RouterURL: d.routerURL(), ReposDir: d.path("repos"), SourcesDir: d.path("sources"),
		KeepReleases: d.cfg.KeepReleases, ImagesMaxSize: int64(d.cfg.ImagesMaxGB) * 1e9, DrainLimit: d.cfg.DrainLimit, RouterSilence: routerSilence, DeadAfter: d.cfg.DeadAfter, ReportEvery: d.cfg.ReportEvery, Pacemakers: c.pacemakers, ShowAt: c.other.urls, NodeRemoved: c.expel, Answers: c.numbers.Answers, Ended: countEnded(), Log: d.log,
	}, pacemaker.Parts{
		Store: c.store, Authority: c.authority, Table: publisher, Gate: c.m, Forget: []pacemaker.AppData{c.logs, forgetStats{counted}, c.images}, Registry: c.images,
	}, c.cluster, epoch)
	if err := c.applyDomain(ctx); err != nil {
		return err
	}
	c.openKeeper(redisq.KeeperOptions{
		Cluster: string(c.cluster), Epoch: int64(epoch), Owner: d.session, Policies: pacemaker.Policies(),
		Periodic: c.pace.Periodic(), OnEnd: c.pace.TreeEnded, MayGraft: pacemaker.MayGraft, Crash: d.crash, Log: d.log,
	}, c.worker(jobs.RoleQueue(string(cluster.RolePacemaker)), 32), c.worker(pacemaker.TurnQueue, 1024)) // who waits costs little
	d.loop("pacemaker", c.pace.Run)
	d.loop("statistics roller", counted.Roll)
	c.countRouters(counted)
	prometheus.MustRegister(clusterMetrics{ctx: d.ctx, pace: c.pace}, appMetrics{ctx: d.ctx, pace: c.pace, stats: counted}, registryMetrics{c.images})
	d.ready.Check(string(cluster.RolePacemaker), func() error {
		if err := c.store.Ping(d.ctx); err != nil {
			return err
		}
		if err := d.watch.Trouble(cluster.RolePacemaker); err != nil {
			return err
		}
		return c.jobs.Problem()
	})
	c.watchMasters()
	return nil
}

// worker works on the pacemaker's own jobs of one queue, so many at a time.
func (c *controller) worker(q jobs.Queue, n int) redisq.WorkerOptions {
	return redisq.WorkerOptions{Queue: q, ID: "pacemaker", Concurrency: n, Handlers: told(c.pace.Handlers()), Crash: c.d.crash, Log: c.d.log}
}

// applyDomain gives each app its host in the cluster's domain, which may be
// another one since the last start, and says at which others apps are served.
func (c *controller) applyDomain(ctx context.Context) error {
	domain := c.d.cfg.Domain
	moved, err := c.store.MoveOwnHosts(ctx, c.pace.OwnHost)
	if err != nil {
		return fmt.Errorf("domain %s: %w", domain, err)
	}
	if moved.Apps > 0 {
		c.d.log.Info("apps have a host in another domain now", "domain", domain, "apps", moved.Apps)
	}
	for _, taken := range moved.Taken {
		fmt.Fprintf(c.d.out, "domain: %s. Now %s.\n", domain, taken.Lost())
	}
	notes, err := c.pace.Overview.Notes(ctx)
	if err != nil {
		return err
	}
	for _, note := range notes {
		fmt.Fprintf(c.d.out, "domain: %s. %s\n", domain, note)
	}
	return c.d.addrs.note(domainPlace, "domain", domain)
}

// ownHost is where browsers reach the dashboard, as far as that has a name, in the
// one spelling that a route's host has.
func (d *daemon) ownHost() string {
	public, err := url.Parse(d.cfg.PublicURL)
	if err != nil {
		return ""
	}
	name := strings.TrimSuffix(public.Hostname(), ".")
	if ascii, err := idna.Lookup.ToASCII(name); err == nil {
		name = ascii
	}
	return strings.ToLower(name)
}

// routerURL is how people reach an app: a format with the host's place.
func (d *daemon) routerURL() string {
	if port := portOf(d.cfg.RouterListen); port != "" && port != "80" {
		return "http://%s:" + port
	}
	return "http://%s"
}

// writeContext gives the command line of this machine its way in.
func (c *controller) writeContext() error {
	path, err := contexts.Path(os.Getenv)
	if err != nil {
		return nil // no home directory: a service; people log in with the token file
	}
	raw, err := os.ReadFile(c.d.path("admin.token"))
	if err != nil {
		return fmt.Errorf("read the admin token: %w", err)
	}
	name := c.d.cfg.NodeName
	err = contexts.Offer(path, name, contexts.Context{URL: c.url, Token: strings.TrimSpace(string(raw))})
	if err != nil {
		c.d.log.Warn("the client context could not be written", "path", path, "err", err)
	}
	return nil
}

type forgetStats struct{ s *stats.Store }

func (f forgetStats) Forget(ctx context.Context, app cluster.ID) error {
	return f.s.Forget(ctx, string(app))
}

// Kept is none: who counts for an app that is gone has read its lines before it went.
func (f forgetStats) Kept() ([]cluster.ID, error) { return nil, nil }
