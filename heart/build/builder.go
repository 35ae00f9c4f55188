package build

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"aorta/heart/docker"
	"aorta/internal/duration"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// Run is a job's handle, as far as the builder uses it; *jobs.Run is one.
type Run interface {
	Args(into any) error
	teller
}

// teller hears how far a build is.
type teller interface {
	Log(line string)
	Progress(n, m int, text string)
}

// Source is the pacemaker's API as a builder uses it.
type Source interface {
	BuildSpec(ctx context.Context, id cluster.ID) (cluster.BuildSpec, error)
	// BuildSource streams the source as a tar, plain or gzipped; close it.
	BuildSource(ctx context.Context, id cluster.ID) (io.ReadCloser, error)
	BuildDone(ctx context.Context, id cluster.ID, result cluster.BuildResult) error
}

// Builder builds images on one engine. Each source is read, and its build
// followed, by a process of its own: what somebody pushes can end or fill that,
// and nothing else.
type Builder struct {
	Engine *docker.Engine
	Source Source
	Images Images // for builds that others need
	Dir    string // for spooled sources; created if needed
	Log    *slog.Logger

	// Child are the arguments by which this very program becomes the process of
	// a build: it has to call Child then.
	Child     []string
	MaxMemory int64         // bytes of memory of that process; DefaultMemory when zero
	MaxCPU    time.Duration // processor time that it may take to read a source; DefaultCPU when zero

	// Timeout is how long a build may take once its turn has come; DefaultTimeout
	// when zero.
	Timeout time.Duration

	Settings
	CacheSize int64 // bytes that KeepCache leaves the engine's build cache

	once  sync.Once // makes slots
	slots *slots
}

// DefaultTimeout is how long a build may take.
const DefaultTimeout = 30 * time.Minute

// Settings say how images are made.
type Settings struct {
	Limits     Limits   // of a source; DefaultLimits when zero
	Memory     int64    // bytes each step may use; default 2 GiB
	CPUs       float64  // cores each step may use; default 2
	AlwaysPull bool     // pull base images even if they are here
	Classic    bool     // build by the engine's classic builder
	Fetch      []string // hosts that builds may reach wherever they are: names and addresses, each with or without a port
}

// Clean removes the spools that a killed builder left in Dir. Call it before the
// first Build.
func (b *Builder) Clean() error {
	left, err := filepath.Glob(filepath.Join(b.Dir, spoolPattern))
	if err != nil {
		return fmt.Errorf("find old spools: %w", err)
	}
	for _, file := range left {
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("remove an old spool: %w", err)
		}
	}
	return nil
}

// Build handles the build job: it builds the source, or checks a named image.
// The result is recorded before the job ends, so a repeated call returns it,
// once the engine still has the image. The end of ctx ends the build and records nothing.
func (b *Builder) Build(ctx context.Context, run Run) (cluster.BuildResult, error) {
	var args cluster.BuildArgs
	var none cluster.BuildResult
	if err := run.Args(&args); err != nil {
		return none, err
	}
	spec, err := b.spec(ctx, args.Build)
	if err != nil {
		return none, err
	}
	if spec.State == cluster.BuildReady {
		return b.again(ctx, run, spec)
	}
	leave, err := b.turn(ctx, run, spec)
	if err != nil {
		return none, err
	}
	defer leave()
	begun := time.Now()
	result, err := b.inTime(ctx, run, spec)
	result.Took = time.Since(begun)
	switch {
	case ctx.Err() != nil:
		return none, fmt.Errorf("build %s: %w", spec.App, context.Cause(ctx))
	case err != nil && cluster.CodeOf(err) == cluster.CodeUnavailable:
		b.awaitEngine(ctx, run)
		return none, err // the engine or the pacemaker is away: another attempt may succeed
	case err != nil:
		return none, b.failed(ctx, spec, result.Took, err)
	}
	if err := b.Source.BuildDone(ctx, spec.ID, result); err != nil {
		return none, fmt.Errorf("record build %s: %w", spec.ID.Short(), err)
	}
	run.Log(fmt.Sprintf("image %s is ready", result.Image.Ref))
	return b.share(ctx, run, spec, result)
}

const (
	engineTick  = time.Second
	engineGrace = 10 * time.Minute // for how long an engine that is away is waited for
)

// awaitEngine waits until the engine answers: attempts are few, and one that finds it
// away is spent. The app can't be to blame for that.
func (b *Builder) awaitEngine(ctx context.Context, run Run) {
	if b.Engine.Check(ctx) == nil {
		return
	}
	run.Log("the Docker engine does not answer: the build begins again once it does")
	bounded, cancel := context.WithTimeout(ctx, engineGrace)
	defer cancel()
	tick := time.NewTicker(engineTick)
	defer tick.Stop()
	for b.Engine.Check(bounded) != nil && bounded.Err() == nil {
		select {
		case <-bounded.Done():
		case <-tick.C:
		}
	}
}

func (b *Builder) spec(ctx context.Context, id cluster.ID) (cluster.BuildSpec, error) {
	spec, err := b.Source.BuildSpec(ctx, id)
	if err != nil {
		return spec, fmt.Errorf("fetch build %s: %w", id.Short(), err)
	}
	return spec, nil
}

// turn waits until the build may run.
func (b *Builder) turn(ctx context.Context, run Run, spec cluster.BuildSpec) (leave func(), err error) {
	b.once.Do(func() { b.slots = newSlots() })
	if leave, err = b.slots.take(ctx, spec, run); err != nil {
		return nil, fmt.Errorf("wait for the turn of a build of %s: %w", spec.App, err)
	}
	return leave, nil
}

// inTime ends a build that takes too long. It would take as long again.
func (b *Builder) inTime(ctx context.Context, run Run, spec cluster.BuildSpec) (cluster.BuildResult, error) {
	limit := b.Timeout
	if limit == 0 {
		limit = DefaultTimeout
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	result, err := b.make(bounded, run, spec)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return result, cluster.Invalid("", "building %s took longer than %s and was ended (let it do less, or raise the limit of the builder's daemon: --build-timeout, or build_timeout in its file)", spec.App, duration.Text(limit))
	}
	return result, err
}

func (b *Builder) failed(ctx context.Context, spec cluster.BuildSpec, took time.Duration, cause error) error {
	err := b.Source.BuildDone(ctx, spec.ID, cluster.BuildResult{State: cluster.BuildFailed, Error: cause.Error(), Took: took})
	if err != nil {
		return fmt.Errorf("record the failed build %s (%w): %w", spec.ID.Short(), cause, err)
	}
	return jobs.Permanent(cause)
}
