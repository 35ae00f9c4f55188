package live

import (
	"context"
	"log/slog"

	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/logstore"
	"aorta/pacemaker/store"
	"aorta/web/live/hub"
	"aorta/web/view"
)

// Logs keeps the apps' output.
type Logs interface {
	view.Logs
	Follow(ctx context.Context, app cluster.ID, q logstore.Query, from uint64) (*logstore.Follower, error)
}

// Config is what live streams are made of.
type Config struct {
	Pacemaker *pacemaker.Pacemaker
	Recents   Recents
	Logs      Logs
	PublicURL string // base of the git addresses
	Version   string
	Log       *slog.Logger
}

// Streams serves everything that is followed. Make it with New, then Run it.
type Streams struct {
	pace    *pacemaker.Pacemaker
	store   *store.Store
	view    *view.Views
	logs    Logs
	version string
	log     *slog.Logger
	hub     *hub.Hub

	pages, logFollowers, jobFollowers *seats
}

// New makes the streams of one pacemaker.
func New(cfg Config) *Streams {
	s := &Streams{
		pace: cfg.Pacemaker, store: cfg.Pacemaker.Store(), view: view.New(cfg.Pacemaker, cfg.Logs, cfg.PublicURL),
		logs: cfg.Logs, version: cfg.Version, log: cfg.Log,
		pages: newSeats(), logFollowers: newSeats(), jobFollowers: newSeats(),
	}
	s.hub = hub.New(newWatcher(s, cfg.Recents), cfg.Log)
	return s
}

// Run computes what several readers follow, until ctx ends; then all live
// streams end.
func (s *Streams) Run(ctx context.Context) error { return s.hub.Run(ctx) }

// operation finds an operation by its id, or by the short form of it.
func (s *Streams) operation(ctx context.Context, id string) (cluster.Operation, error) {
	op, err := s.store.FindOperation(ctx, id)
	if cluster.CodeOf(err) == cluster.CodeNotFound {
		return op, cluster.NotFound("job %.40q does not exist (list jobs with: aorta jobs)", id)
	}
	return op, err
}
