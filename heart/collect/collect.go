// Package collect keeps a node's engine free of images that nothing needs. It
// reports the cluster's images to the pacemaker, which knows what each is for,
// and removes on demand what has no use any more. Images that are not the
// cluster's it neither sees nor touches.
package collect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	"aorta/heart/docker"
	"aorta/internal/pause"
	"aorta/pacemaker/cluster"
)

const (
	// reportEvery is the longest time between two reports: a new pacemaker knows
	// no images until then.
	reportEvery = time.Minute
	// settleDelay is how long a report waits for more changes after the first.
	settleDelay = 500 * time.Millisecond
	// callTimeout bounds one call to the pacemaker.
	callTimeout = 10 * time.Second
)

// Run is a job's handle, as far as handlers here use it; *jobs.Run is one.
type Run interface {
	Args(into any) error
	Log(line string)
	Progress(n, m int, text string)
}

// Controller is the pacemaker's API as it is used here.
type Controller interface {
	// Images reports all images of the engine and gives what becomes of each.
	Images(ctx context.Context, list []cluster.EngineImage) ([]cluster.ImageFate, error)
}

// Collector works on one engine.
type Collector struct {
	Engine *docker.Engine
	Pace   Controller
	// Transfers begins the names that images have while they are sent to the cluster's
	// registry; empty for none. One that is there later was left by a builder that was
	// killed.
	Transfers string
	Log       *slog.Logger
}

// Run reports the images when they change, and now and then, until ctx ends.
func (c *Collector) Run(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	signal := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	watching := make(chan struct{})
	go func() { // ends with ctx
		defer close(watching)
		c.watch(ctx, signal)
	}()
	defer func() { <-watching }()
	r := reporter{Collector: c}
	for ctx.Err() == nil {
		r.report(ctx)
		tick := time.NewTimer(reportEvery)
		select {
		case <-ctx.Done():
		case <-tick.C:
			r.last = nil
		case <-changed:
			pause.For(ctx, settleDelay)
		}
		tick.Stop()
	}
	return ctx.Err()
}

// watch signals each change of the engine's images until ctx ends.
func (c *Collector) watch(ctx context.Context, signal func()) {
	for ctx.Err() == nil {
		err := c.Engine.WatchImages(ctx, signal)
		if ctx.Err() != nil {
			return
		}
		c.Log.Warn("lost the engine's event stream of images; subscribing again", "err", err)
		pause.For(ctx, time.Second)
	}
}

// reporter remembers the last report, so that none is sent twice.
type reporter struct {
	*Collector
	last    []cluster.EngineImage
	failing bool
}

func (r *reporter) report(ctx context.Context) {
	list, err := r.Engine.Inventory(ctx)
	if err == nil && r.last != nil && reflect.DeepEqual(list, r.last) {
		return
	}
	if err == nil {
		_, err = r.ask(ctx, list)
	}
	if err != nil && !r.failing && ctx.Err() == nil {
		r.Log.Warn("the images of this node could not be reported; trying again each minute", "err", err)
	}
	r.failing, r.last = err != nil, list
}

func (c *Collector) ask(ctx context.Context, list []cluster.EngineImage) ([]cluster.ImageFate, error) {
	bounded, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return c.Pace.Images(bounded, list)
}

// Pruned is the result of a removal.
type Pruned struct {
	Removed int   `json:"removed"`
	Freed   int64 `json:"freed"` // bytes at most: what images share stays while one of them does
}

// Prune handles image.prune: it removes the images that the pacemaker, asked at
// this moment, has no use for.
func (c *Collector) Prune(ctx context.Context, run Run) (Pruned, error) {
	var sum Pruned
	var args cluster.PruneArgs
	if err := run.Args(&args); err != nil {
		return sum, err
	}
	list, err := c.Engine.Inventory(ctx)
	if err != nil {
		return sum, err
	}
	fates, err := c.ask(ctx, list)
	if err != nil {
		return sum, fmt.Errorf("ask what becomes of the images: %w", err)
	}
	for i, f := range fates {
		run.Progress(i, len(fates), "removing images")
		if !f.Collect || args.App != "" && f.App != args.App {
			continue
		}
		freed, err := c.Engine.Discard(ctx, f.EngineImage, append(c.ofTransfers(f.Names), f.Refs...))
		if errors.Is(err, docker.ErrInUse) || errors.Is(err, docker.ErrNoImage) {
			continue // a container was made meanwhile, or it went with its child
		}
		if err != nil {
			return sum, err
		}
		sum.Removed++
		sum.Freed += freed
		run.Log(fmt.Sprintf("removed %s: %s", title(f), f.Because))
	}
	run.Log(fmt.Sprintf("removed %d of %d images, %.1f MB", sum.Removed, len(fates), float64(sum.Freed)/1e6))
	return sum, nil
}

// ofTransfers are the names among these that transfers have left.
func (c *Collector) ofTransfers(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return c.Transfers == "" || !strings.HasPrefix(name, c.Transfers) })
}

// title names an image for people: its short id, and its name where it has one.
func title(f cluster.ImageFate) string {
	t := "image " + f.ShortID()
	if len(f.Names) > 0 {
		t += " (" + f.Names[0] + ")"
	}
	return t
}
