// Package sources keeps what apps are built from: the git repository of each,
// the commits and archives of deploys that are open or may be retried and of
// releases that may be rolled back to, and what became of their builds. It decides
// nothing about deploys.
package sources

import (
	"context"
	"sync"
	"time"

	"aorta/internal/gitrepo"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// Config is what sources need.
type Config struct {
	Store    *store.Store
	ReposDir string // bare repositories, one per app id
	Dir      string // uploaded archives, one per build id
	Cluster  cluster.ID
	// KeepReleases is how many of an app's newest releases keep their archives.
	KeepReleases int
	Now          func() time.Time
}

// Sources are those of all apps. Make them with New.
type Sources struct {
	cfg Config

	mu      sync.Mutex         // guards uploads, and that no two are admitted to the same room
	uploads map[cluster.ID]int // under way, by app
}

// New makes them; directories are made when something is kept in them.
func New(cfg Config) *Sources { return &Sources{cfg: cfg, uploads: map[cluster.ID]int{}} }

// Repo is an app's git repository, which may not be there yet.
func (s *Sources) Repo(app cluster.ID) gitrepo.Repo {
	return gitrepo.Repo{Dir: s.cfg.ReposDir + "/" + string(app) + ".git"}
}

// InitRepo gives an app's git repository, made at its first use.
func (s *Sources) InitRepo(ctx context.Context, app cluster.App) (gitrepo.Repo, error) {
	return gitrepo.Init(ctx, s.Repo(app.ID).Dir)
}
