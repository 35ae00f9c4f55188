package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"

	"aorta/heart/docker"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// Run is what a build's handler knows of its job; *jobs.Run is one.
type Run interface {
	Args(into any) error
	Log(line string)
	Progress(n, m int, text string)
}

// Source is the pacemaker as a builder speaks to it.
type Source interface {
	BuildSpec(ctx context.Context, id cluster.ID) (cluster.BuildSpec, error)
	// BuildSource streams the source as a tar, or one in gzip; close it.
	BuildSource(ctx context.Context, id cluster.ID) (io.ReadCloser, error)
	BuildDone(ctx context.Context, id cluster.ID, result cluster.BuildResult) error
}

// Builder builds images on one engine.
type Builder struct {
	Engine *docker.Engine
	Source Source
	Dir    string // for spooled sources; made when it is missing
	Log    *slog.Logger

	Limits     Limits  // of a source; DefaultLimits when zero
	Memory     int64   // bytes each step may use; default 2 GiB
	CPUs       float64 // cores each step may use; default 2
	AlwaysPull bool    // ask the registry for base images that are here, too
}

// Build handles the build job: source to image, or a named image checked. What
// came of it is recorded before the job ends, so a build that is run again is
// done at once. The end of ctx ends the build and records nothing.
func (b *Builder) Build(ctx context.Context, run Run) (any, error) {
	var args cluster.BuildArgs
	if err := run.Args(&args); err != nil {
		return nil, err
	}
	spec, err := b.Source.BuildSpec(ctx, args.Build)
	if err != nil {
		return nil, fmt.Errorf("fetch build %s: %w", args.Build.Short(), err)
	}
	if spec.State == cluster.BuildReady {
		return cluster.BuildResult{State: cluster.BuildReady, Image: spec.Image}, nil
	}
	result, err := b.make(ctx, run, spec)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("build %s: %w", spec.App, context.Cause(ctx))
	case err != nil && cluster.CodeOf(err) == cluster.CodeUnavailable:
		return nil, err // the engine or the pacemaker is away: another attempt may do
	case err != nil:
		return nil, b.failed(ctx, spec, err)
	}
	if err := b.Source.BuildDone(ctx, spec.ID, result); err != nil {
		return nil, fmt.Errorf("record build %s: %w", spec.ID.Short(), err)
	}
	run.Log(fmt.Sprintf("image %s is ready", result.Image.Ref))
	return result, nil
}

func (b *Builder) failed(ctx context.Context, spec cluster.BuildSpec, cause error) error {
	err := b.Source.BuildDone(ctx, spec.ID, cluster.BuildResult{State: cluster.BuildFailed, Error: cause.Error()})
	if err != nil {
		return fmt.Errorf("record the failed build %s (%w): %w", spec.ID.Short(), cause, err)
	}
	return jobs.Permanent(cause)
}

func (b *Builder) make(ctx context.Context, run Run, spec cluster.BuildSpec) (cluster.BuildResult, error) {
	if spec.Kind == cluster.SourceImage {
		return b.fetch(ctx, run, spec)
	}
	return b.build(ctx, run, spec)
}

// fetch takes an image that exists: here, or at its registry.
func (b *Builder) fetch(ctx context.Context, run Run, spec cluster.BuildSpec) (cluster.BuildResult, error) {
	img, err := b.Engine.Image(ctx, spec.Source)
	if errors.Is(err, docker.ErrNoImage) {
		run.Log("pulling " + spec.Source)
		if err := b.Engine.Pull(ctx, spec.Source, run.Log); err != nil {
			return cluster.BuildResult{}, fmt.Errorf("image %s is not on this node and can't be pulled (check its name, and that its registry lets this node in): %w", spec.Source, err)
		}
		img, err = b.Engine.Image(ctx, spec.Source)
	}
	if err != nil {
		return cluster.BuildResult{}, err
	}
	return b.result(run, declared{}, spec.Source, img)
}

func (b *Builder) build(ctx context.Context, run Run, spec cluster.BuildSpec) (cluster.BuildResult, error) {
	source, found, err := b.receive(ctx, run, spec)
	if err != nil {
		return cluster.BuildResult{}, err
	}
	defer func() {
		if err := source.drop(); err != nil {
			b.Log.Warn("a spooled source stays", "file", source.Name(), "err", err)
		}
	}()
	tag := docker.BuiltPrefix + spec.App + ":" + string(spec.ID)
	recipe := docker.Recipe{
		Context: source, Tag: tag, Memory: b.Memory, CPUs: b.CPUs, AlwaysPull: b.AlwaysPull,
		Labels: map[string]string{cluster.LabelCluster: string(spec.Cluster), cluster.LabelAppID: string(spec.AppID), cluster.LabelBuild: string(spec.ID)},
		Line:   narrator(run),
	}
	if recipe.Memory == 0 {
		recipe.Memory = 2 << 30
	}
	if recipe.CPUs == 0 {
		recipe.CPUs = 2
	}
	if _, err := b.Engine.Build(ctx, recipe); err != nil {
		return cluster.BuildResult{}, stepError(err)
	}
	img, err := b.Engine.Image(ctx, tag)
	if err != nil {
		return cluster.BuildResult{}, err
	}
	return b.result(run, found, tag, img)
}

// receive spools the source, checked, ready to be read.
func (b *Builder) receive(ctx context.Context, run Run, spec cluster.BuildSpec) (spool, declared, error) {
	if err := os.MkdirAll(b.Dir, 0o700); err != nil {
		return spool{}, declared{}, fmt.Errorf("make the builder's directory: %w", err)
	}
	in, err := b.Source.BuildSource(ctx, spec.ID)
	if err != nil {
		return spool{}, declared{}, fmt.Errorf("fetch the source of %s: %w", spec.App, err)
	}
	defer in.Close()
	run.Progress(0, 1, "receiving the source")
	s, err := newSpool(b.Dir)
	if err != nil {
		return s, declared{}, err
	}
	limits := b.Limits
	if limits == (Limits{}) {
		limits = DefaultLimits
	}
	stream := &witness{in: in}
	found, err := filterSource(stream, s, limits)
	err = spoolCause(err, stream, s.Name())
	if err == nil && !found.dockerfile {
		err = cluster.Invalid("", "there is no Dockerfile in the root of the source; add one (FROM …, COPY . ., CMD …), or deploy an image with aorta deploy --image")
	}
	if err == nil {
		// Told before the build, which may take long: what is wrong in these
		// files does not depend on it.
		_, err = found.resolve(true)
	}
	if err == nil {
		_, err = s.Seek(0, io.SeekStart)
	}
	if err != nil {
		return s, found, errors.Join(err, s.drop())
	}
	return s, found, nil
}

func (b *Builder) result(run Run, found declared, ref string, img docker.Image) (cluster.BuildResult, error) {
	p, err := found.resolve(len(img.Command) > 0)
	if err != nil {
		return cluster.BuildResult{}, err
	}
	for _, w := range p.warnings {
		run.Log("warning: " + w)
	}
	return cluster.BuildResult{
		State: cluster.BuildReady, Processes: p.processes, Domains: p.domains,
		Image: cluster.Image{Ref: ref, ID: img.ID, Digest: img.Digest(), Size: img.Size},
	}, nil
}

var stepPattern = regexp.MustCompile(`^Step (\d+)/(\d+) : (.*)`)

// narrator passes the engine's lines on and reads its progress from them.
func narrator(run Run) func(string) {
	return func(line string) {
		if line == "" {
			return
		}
		run.Log(line)
		if found := stepPattern.FindStringSubmatch(line); found != nil {
			n, errN := strconv.Atoi(found[1])
			m, errM := strconv.Atoi(found[2])
			if errN == nil && errM == nil {
				run.Progress(n, m, clip(found[3]))
			}
		}
	}
}

// stepError says which line of the Dockerfile failed and how.
func stepError(err error) error {
	var failed *docker.BuildFailed
	if !errors.As(err, &failed) {
		return err
	}
	step := strings.TrimPrefix(failed.Step, "Step ")
	if _, instruction, ok := strings.Cut(step, " : "); ok {
		return cluster.Invalid("", "the build failed at %q: %s", instruction, failed.Message)
	}
	return cluster.Invalid("", "the build failed: %s", failed.Message)
}
