package heart

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"aorta/heart/cutoff"
	"aorta/heart/docker"
	"aorta/heart/images"
	"aorta/heart/logs"
	"aorta/heart/score"
	"aorta/heart/tags"
	"aorta/internal/pause"
	"aorta/internal/profile"
	"aorta/pacemaker/cluster"
)

// Controller is the pacemaker's API as a heart uses it. Its errors are coded;
// unavailable means that the pacemaker can't be reached.
type Controller interface {
	Hello(context.Context, cluster.Hello) (cluster.Welcome, error)
	Report(context.Context, cluster.Report) (cluster.ReportAnswer, error)
	Spec(context.Context, cluster.ID) (cluster.InstanceSpec, error)
	// OtherPort allots another port than the refused one and gives the new spec.
	OtherPort(ctx context.Context, id cluster.ID, refused int) (cluster.InstanceSpec, error)
	ShipLogs(context.Context, []cluster.LogPart) ([]cluster.LogPosition, error)
}

// Images gets images from the cluster's registry onto the engine: not_found for one
// that is not there.
type Images interface {
	Pull(ctx context.Context, want images.Wanted, tell func(text string)) error
	// Settle ends the pull of one that is there, if it was cut off before its end.
	Settle(ctx context.Context, want images.Wanted) error
}

// Config is what a heart needs before it starts.
type Config struct {
	NodeID      cluster.ID
	NodeName    string
	Cluster     cluster.ID
	DataDir     string // its own directory; specs with secrets lie in it
	Address     string // private address that instances are published on; empty: the gateway of the cluster's bridge
	DockerHost  string // empty: the environment's
	ReportEvery time.Duration
	Hello       cluster.Hello // of this process; the heart adds the address that it finds
	Tags        *tags.Finder  // nil: those of the system
	PortMin     int           // range that published ports must lie in; default 20000 … 29999
	PortMax     int
	// The engine keeps so many files of so many bytes of a container's output.
	// While the log store takes less than that, as much again is held.
	OutputFiles    int   // default docker.DefaultLogFiles
	OutputFileSize int64 // default docker.DefaultLogSize
	Images         Images
	// Welcomed, when set, is called with each answer to a hello.
	Welcomed func(cluster.Welcome)
	// Watchdog has a process of its own run that watches the directory CutOffDir, as
	// cutoff.Watch does, and is called again and again while there is something to watch.
	Watchdog func(context.Context) error
	// Parts, when set, gives the node's parts for each report.
	Parts func() []cluster.Part
}

// Heart runs a node's instances. Make it with New, then Open, then Run.
type Heart struct {
	cfg     Config
	pace    Controller
	log     *slog.Logger
	engine  *docker.Engine
	shipper *logs.Shipper
	meter   *score.Meter
	records recordStore
	ports   *ledger
	address netip.Addr
	changed chan struct{} // signals that a status changed: report at once
	answers chan cluster.ReportAnswer
	guard   *cutoff.Guard
	promise atomic.Int64 // the silence after which what is to stop when it is cut off has, in nanoseconds; 0: none
	// unwatched: the watchdog is gone, and can't be started again.
	unwatched atomic.Bool
	// unpreferred: it was said that instances can't be preferred to their engine.
	unpreferred atomic.Bool

	// mu guards the rest.
	mu      sync.Mutex
	runners map[cluster.ID]*runner
	running context.Context // of Run; nil before it
	wg      sync.WaitGroup  // of runners
	applied applied
}

// New prepares a heart; it touches its directory but neither the engine nor
// the network.
func New(cfg Config, pace Controller, log *slog.Logger) (*Heart, error) {
	cfg = cfg.withDefaults()
	if cfg.Address != "" {
		if a, err := netip.ParseAddr(cfg.Address); err != nil || a.IsLoopback() || a.IsUnspecified() {
			return nil, cluster.Invalid("node_address", "%q is not a private address of this node (and never of 127/8: the engine would take connections for apps that don't listen)", cfg.Address)
		}
	}
	h := &Heart{
		cfg: cfg, pace: pace, log: log,
		changed: make(chan struct{}, 1), answers: make(chan cluster.ReportAnswer, 1), runners: map[cluster.ID]*runner{},
	}
	var err error
	if h.engine, err = docker.Open(docker.Options{Host: cfg.DockerHost, Cluster: cfg.Cluster, LogSize: cfg.OutputFileSize, LogFiles: cfg.OutputFiles}); err != nil {
		return nil, err
	}
	if h.records, err = openRecordStore(filepath.Join(cfg.DataDir, "instances")); err != nil {
		return nil, err
	}
	if h.ports, err = openLedger(filepath.Join(cfg.DataDir, "ports.json"), cfg.PortMin, cfg.PortMax); err != nil {
		return nil, err
	}
	if h.guard, err = cutoff.Open(cfg.CutOffDir()); err != nil {
		return nil, err
	}
	if h.applied, err = loadApplied(h.appliedFile(), cfg.NodeID); err != nil {
		return nil, err
	}
	h.shipper = logs.New(pace, logs.Options{
		Log: log, Files: cfg.OutputFiles, Held: int64(cfg.OutputFiles) * cfg.OutputFileSize, Earlier: filepath.Join(cfg.DataDir, "logs"),
	})
	return h, nil
}

// CutOffDir is the directory of what is to stop when it is cut off.
func (c Config) CutOffDir() string { return filepath.Join(c.DataDir, "cutoff") }

func (c Config) withDefaults() Config {
	if c.Watchdog == nil {
		c.Watchdog = func(context.Context) error { return errors.New("this heart has no watchdog") }
	}
	if c.Parts == nil {
		c.Parts = func() []cluster.Part { return nil }
	}
	if c.Tags == nil {
		c.Tags = tags.New(tags.Config{})
	}
	if c.ReportEvery == 0 {
		c.ReportEvery = 2 * time.Second
	}
	if c.PortMin == 0 {
		c.PortMin = 20000
	}
	if c.PortMax == 0 {
		c.PortMax = 29999
	}
	if c.OutputFiles == 0 {
		c.OutputFiles = docker.DefaultLogFiles
	}
	if c.OutputFileSize == 0 {
		c.OutputFileSize = docker.DefaultLogSize
	}
	return c
}

// Open waits for the engine, makes the cluster's bridge, reads the recorded set
// and adopts the containers that are there. Nothing is started before Run.
func (h *Heart) Open(ctx context.Context) error {
	info, err := h.engine.Await(ctx, h.log)
	if err != nil {
		return err
	}
	if err := logs.CheckReadable(info.RootDir); err != nil {
		return err
	}
	bridge, err := h.engine.EnsureNetwork(ctx)
	if err != nil {
		return fmt.Errorf("prepare the cluster's network: %w", err)
	}
	h.address = bridge.Gateway
	if h.cfg.Address != "" {
		h.address = netip.MustParseAddr(h.cfg.Address)
	}
	h.meter = score.New("/proc", diskOf(info.RootDir, h.cfg.DataDir))
	records, err := h.records.load(h.log)
	if err != nil {
		return err
	}
	for _, rec := range records {
		h.addRunner(rec)
	}
	if err := h.adopt(ctx); err != nil {
		return err
	}
	return h.dropLeftovers()
}

// dropLeftovers frees the ports of instances that have neither a record nor a
// container any more.
func (h *Heart) dropLeftovers() error {
	return h.ports.releaseUnknown(func(id cluster.ID) bool { return h.runner(id) != nil }, time.Now())
}

// diskOf is the engine's directory when it is on this machine, else ours.
func diskOf(engine, own string) string {
	if _, err := os.Stat(engine); err == nil {
		return engine
	}
	return own
}

// adopt adds containers of this node that have no record, because the data
// directory was lost or restored from an older copy. They are reported, and
// stopped only when the pacemaker says so.
func (h *Heart) adopt(ctx context.Context) error {
	list, err := h.engine.RegainAll(ctx)
	if err != nil {
		return fmt.Errorf("adopt containers: %w", err)
	}
	for _, c := range list {
		// Another node's heart may use the same engine.
		if c.Labels[cluster.LabelNode] != h.cfg.NodeName || h.runner(c.Instance) != nil {
			continue
		}
		h.log.Info("found a container without a record", "instance", c.Instance)
		h.addRunner(strayRecord(c))
	}
	return nil
}

// Address is the address that this node's instances are published on. It is
// known after Open.
func (h *Heart) Address() string { return h.address.String() }

// Run keeps the instances running and reports until ctx ends. Containers go on.
// It ends early only when the pacemaker refuses this node.
func (h *Heart) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	h.mu.Lock()
	h.running = ctx
	for _, r := range h.runners {
		h.launch(r)
	}
	h.mu.Unlock()
	for name, loop := range map[string]func(context.Context) error{
		"shipper of output": h.shipper.Run, "watch of the engine's events": h.watch, "answers to reports": h.applyAnswers, "heart's report": h.report,
		"watch of the watchdog": h.keepWatchdog, "end of what is overdue": h.endOverdue,
	} {
		g.Go(func() error { return profile.Part(ctx, name, loop) })
	}
	err := g.Wait()
	h.wg.Wait()
	return errors.Join(err, h.engine.Close())
}

// watch wakes runners on the engine's events, and all of them after each new
// subscription, since events before it are lost.
func (h *Heart) watch(ctx context.Context) error {
	for {
		err := h.engine.Watch(ctx, h.wakeAll, func(e docker.Event) {
			if r := h.runner(e.Instance); r != nil {
				if e.OutOfMemory {
					r.oomKilled.Store(true)
				}
				r.nudge()
			}
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		h.log.Warn("lost the engine's event stream; subscribing again", "err", err)
		if !pause.For(ctx, time.Second) {
			return ctx.Err()
		}
	}
}

func (h *Heart) wakeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.runners {
		r.nudge()
	}
}

func (h *Heart) runner(id cluster.ID) *runner {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.runners[id]
}

// addRunner makes the record's runner, unless its instance has one already.
func (h *Heart) addRunner(rec record) *runner {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.runners[rec.Spec.ID]; r != nil {
		return r
	}
	r := newRunner(h, rec)
	h.runners[rec.Spec.ID] = r
	if h.running != nil {
		h.launch(r)
	}
	return r
}

// launch starts a runner; mu must be held. Its goroutine ends with Run, or when
// nothing is left of its instance.
func (h *Heart) launch(r *runner) {
	ctx := h.running
	if ctx.Err() == nil {
		h.wg.Go(func() {
			_ = profile.Part(ctx, "instances", func(ctx context.Context) error { r.run(ctx); return nil })
		})
	}
}

func (h *Heart) reportSoon() {
	select {
	case h.changed <- struct{}{}:
	default:
	}
}
