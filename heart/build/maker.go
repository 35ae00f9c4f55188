package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"aorta/heart/docker"
	"aorta/heart/docker/dockerfile"
	"aorta/internal/disk"
	"aorta/pacemaker/cluster"
)

// maker is a build in its own process.
type maker struct {
	order
	engine *docker.Engine
	tell   teller
	read   func() // is called when the engine is at work, and the source has been read

	steps, cached int // of the Dockerfile, as they were told last
}

// make builds the source that comes in, or finds the image that is named.
func (m *maker) make(ctx context.Context, in io.Reader) (cluster.BuildResult, error) {
	if m.Spec.Kind == cluster.SourceImage {
		return m.fetch(ctx)
	}
	return m.build(ctx, in)
}

// fetch uses an existing image, and pulls it if it is not on this node.
func (m *maker) fetch(ctx context.Context) (cluster.BuildResult, error) {
	spec, guard := m.Spec, newGuard(m.order)
	img, err := m.engine.Image(ctx, spec.Source)
	if errors.Is(err, docker.ErrNoImage) {
		if err := guard.Registry(ctx, spec.Source); err != nil {
			return cluster.BuildResult{}, fmt.Errorf("image %s is not on this node and can't be pulled: %w", spec.Source, err)
		}
		m.read()
		m.tell.Log("pulling " + spec.Source)
		if err := m.engine.PullFor(ctx, spec.Source, spec.ID, m.tell.Log); err != nil {
			return cluster.BuildResult{}, fmt.Errorf("image %s is not on this node and can't be pulled (check its name, and that this node may pull from its registry): %w", spec.Source, err)
		}
		img, err = m.engine.Image(ctx, spec.Source)
	}
	if err != nil {
		return cluster.BuildResult{}, err
	}
	if err := guard.Image(spec.Source, img.Labels); err != nil {
		return cluster.BuildResult{}, err
	}
	return m.result(declared{}, spec.Source, img)
}

func (m *maker) build(ctx context.Context, in io.Reader) (cluster.BuildResult, error) {
	source, found, err := m.receive(in)
	if err != nil {
		return cluster.BuildResult{}, err
	}
	defer source.Close()
	// Checked before the build, which may take long: errors in these files don't
	// depend on it.
	p, err := found.resolve(true)
	if err != nil {
		return cluster.BuildResult{}, err
	}
	recipe, err := found.recipe(source, p.build, m.Spec.Kind)
	if err := found.forPeople(err); err != nil {
		return cluster.BuildResult{}, err
	}
	m.complete(&recipe)
	if err := m.run(ctx, recipe); err != nil {
		return cluster.BuildResult{}, stepError(err, recipe.Memory, masker(m.Spec.Secrets))
	}
	img, err := m.engine.Image(ctx, recipe.Tag)
	if err != nil {
		return cluster.BuildResult{}, err
	}
	return m.result(found.declared, recipe.Tag, img)
}

// receive checks the source and stores it in a spool.
func (m *maker) receive(in io.Reader) (*os.File, checked, error) {
	m.tell.Progress(0, 1, "receiving the source")
	s, err := newSpool(m.Dir)
	if err != nil {
		return nil, checked{}, err
	}
	limits := m.Settings.Limits
	if limits == (Limits{}) {
		limits = DefaultLimits
	}
	found, err := filterSource(in, s, limits)
	if err != nil {
		return nil, found, errors.Join(disk.Explain(m.Dir, err), s.Close())
	}
	return s, found, nil
}

// complete says how an image is named and limited, and who hears of it.
func (m *maker) complete(r *dockerfile.Recipe) {
	spec := m.Spec
	r.Tag = docker.BuiltPrefix + spec.App + ":" + string(spec.ID)
	r.Labels = map[string]string{cluster.LabelCluster: string(spec.Cluster), cluster.LabelAppID: string(spec.AppID), cluster.LabelBuild: string(spec.ID)}
	r.Owner = string(spec.Cluster) + "." + string(spec.AppID)
	r.Memory, r.CPUs, r.AlwaysPull = m.Settings.Memory, m.Settings.CPUs, m.Settings.AlwaysPull
	if r.Memory == 0 {
		r.Memory = 2 << 30
	}
	if r.CPUs == 0 {
		r.CPUs = 2
	}
	r.Guard = newGuard(m.order)
	r.Secrets = map[string][]byte{}
	for name, value := range spec.Secrets {
		r.Secrets[name] = []byte(value)
	}
	mask := masker(spec.Secrets)
	r.Line = func(line string) {
		m.read()
		if line != "" {
			m.tell.Log(mask.Replace(line))
		}
	}
	r.Step = func(s dockerfile.Step) {
		m.read()
		m.steps, m.cached = s.Of, s.Cached
		m.tell.Progress(s.N, s.Of, cluster.Clip(mask.Replace(s.Name)))
	}
}

// run builds by BuildKit, and by the classic builder where the engine has none.
func (m *maker) run(ctx context.Context, r dockerfile.Recipe) error {
	for _, remark := range onDockerfile(r) {
		m.tell.Log("warning: " + remark)
	}
	var err error = &docker.NoBuildKit{Why: "this node is told to use it (classic_builder)"}
	if !m.Settings.Classic {
		err = m.engine.BuildKit(ctx, r)
	}
	var none *docker.NoBuildKit
	if !errors.As(err, &none) {
		return err
	}
	m.tell.Log("warning: " + withoutBuildKit(none.Why))
	remark, err := withoutSecrets(r, none.Why)
	if err != nil {
		return err
	}
	if remark != "" {
		m.tell.Log("warning: " + remark)
	}
	return m.engine.BuildClassic(ctx, r)
}

func (m *maker) result(found declared, ref string, img docker.Image) (cluster.BuildResult, error) {
	p, err := found.resolve(len(img.Command) > 0)
	if err != nil {
		return cluster.BuildResult{}, err
	}
	for _, w := range append(p.warnings, remarks(img.ImageRun, p.processes)...) {
		m.tell.Log("warning: " + w)
	}
	return cluster.BuildResult{
		State: cluster.BuildReady, Processes: p.processes, Domains: p.domains, Route: p.route,
		Image: cluster.Image{Ref: ref, ID: img.ID, Digest: img.Digest(ref), Size: img.Size, Arch: img.Arch},
		Steps: m.steps, Cached: m.cached,
	}, nil
}

// killed is the exit code of a command that SIGKILL ended, as a shell gives it.
const killed = 128 + 9

// stepError names the line of the Dockerfile that failed, and the cause; memory is
// what a step may take.
func stepError(err error, memory int64, mask *strings.Replacer) error {
	var failed *dockerfile.Failed
	if !errors.As(err, &failed) {
		return err
	}
	text := mask.Replace(failed.Message)
	if failed.Code == killed {
		text += fmt.Sprintf("; it was killed, as the kernel ends a step that takes more than %s of memory (let it do less at a time, such as with fewer jobs side by side)", cluster.Bytes(memory))
	}
	if failed.Step == "" {
		return cluster.Invalid("", "the build failed: %s", text)
	}
	return cluster.Invalid("", "the build failed at %q: %s", mask.Replace(failed.Step), text)
}
