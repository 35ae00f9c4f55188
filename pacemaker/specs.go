package pacemaker

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
)

// keptReleases is how many of an app's newest releases keep their images.
const keptReleases = 10

// InstanceSpec gives a heart all it needs to run one of its own instances. For
// one that is not wanted any more it is not found: that is the fence against a
// late start.
func (p *Pacemaker) InstanceSpec(ctx context.Context, node cluster.Node, id cluster.ID) (cluster.InstanceSpec, error) {
	in, err := p.store.Instance(ctx, id)
	if err != nil {
		return cluster.InstanceSpec{}, err
	}
	if in.NodeID != node.ID || !in.State.Wanted() {
		return cluster.InstanceSpec{}, cluster.NotFound("instance %s is not wanted on node %s", id, node.Name)
	}
	app, err := p.store.AppByID(ctx, in.AppID)
	if err != nil {
		return cluster.InstanceSpec{}, err
	}
	release, err := p.store.Release(ctx, in.ReleaseID)
	if err != nil {
		return cluster.InstanceSpec{}, err
	}
	vars, err := p.store.ReleaseConfig(ctx, release.ID)
	if err != nil {
		return cluster.InstanceSpec{}, err
	}
	asked, err := p.store.Formations(ctx, app.ID)
	if err != nil {
		return cluster.InstanceSpec{}, err
	}
	proc, _ := release.Process(in.Type)
	return cluster.InstanceSpec{
		ID: in.ID, AppID: app.ID, App: app.Name, Release: release.Label(), Type: in.Type, Node: node.Name,
		Commit: release.Commit, Image: release.Image, Command: proc.Command, Env: vars, Port: in.Port,
		Limits: plan.Limits(proc, asked).OrDefault(), Health: proc.Health.OrDefault(), StopGrace: proc.Grace(), Revision: in.Revision,
	}, nil
}

// PortRefused gives an instance another port than the one its heart refused.
func (p *Pacemaker) PortRefused(ctx context.Context, node cluster.Node, id cluster.ID, port int) error {
	in, err := p.store.Instance(ctx, id)
	if err != nil {
		return err
	}
	if in.NodeID != node.ID {
		return cluster.NotFound("instance %s is not on node %s", id, node.Name)
	}
	return p.store.ChangePort(ctx, id, port)
}

// BuildSpec gives a builder what it needs to know of a build.
func (p *Pacemaker) BuildSpec(ctx context.Context, id cluster.ID) (cluster.BuildSpec, error) {
	b, err := p.store.Build(ctx, id)
	if err != nil {
		return cluster.BuildSpec{}, err
	}
	app, err := p.store.AppByID(ctx, b.AppID)
	if err != nil {
		return cluster.BuildSpec{}, err
	}
	return cluster.BuildSpec{
		ID: b.ID, AppID: b.AppID, App: app.Name, Kind: b.Kind, Source: b.Source, State: b.State, Image: b.Image, Cluster: p.cluster,
	}, nil
}

// BuildSource gives a build's source as a tar stream; the caller closes it.
func (p *Pacemaker) BuildSource(ctx context.Context, id cluster.ID) (io.ReadCloser, error) {
	b, err := p.store.Build(ctx, id)
	if err != nil {
		return nil, err
	}
	switch b.Kind {
	case cluster.SourceCommit:
		return p.repo(b.AppID).Archive(ctx, b.Source)
	case cluster.SourceArchive:
		f, err := os.Open(p.sourcePath(id))
		if err != nil {
			return nil, cluster.NotFound("the archive of build %s is gone: deploy it again", id)
		}
		return f, nil
	}
	return nil, cluster.Invalid("build", "build %s has no source of its own", id)
}

// BuildDone records how a build ended.
func (p *Pacemaker) BuildDone(ctx context.Context, id cluster.ID, result cluster.BuildResult) error {
	switch result.State {
	case cluster.BuildReady, cluster.BuildFailed:
	default:
		return cluster.Invalid("state", "%q is not how a build ends (ready, failed)", result.State)
	}
	for i := range result.Processes {
		if err := result.Processes[i].Validate("processes"); err != nil {
			return err
		}
	}
	for _, host := range result.Domains {
		if err := cluster.ValidateHost("domains", host); err != nil {
			return err
		}
	}
	return p.store.EndBuild(ctx, id, result)
}

// KeepImages names the images that must stay on a node's engine.
func (p *Pacemaker) KeepImages(ctx context.Context) (cluster.KeepImages, error) {
	ids, err := p.store.KeptImages(ctx, keptReleases)
	if err != nil {
		return cluster.KeepImages{}, err
	}
	builds, err := p.store.OpenBuilds(ctx)
	return cluster.KeepImages{IDs: ids, Builds: builds}, err
}

// sourceSuffix is what the files of archives end in, behind the build's id.
const sourceSuffix = ".tar"

func (p *Pacemaker) sourcePath(build cluster.ID) string {
	return filepath.Join(p.cfg.SourcesDir, string(build)+sourceSuffix)
}

// OwnLines leaves of a node's log lines those of its own instances, under the
// app that each belongs to: a node can't write into a stranger's log. Lines of
// instances that nobody knows any more are dropped.
func (p *Pacemaker) OwnLines(ctx context.Context, node cluster.Node, lines []cluster.LogLine) ([]cluster.LogLine, error) {
	apps := map[cluster.ID]cluster.ID{}
	out := make([]cluster.LogLine, 0, len(lines))
	for _, l := range lines {
		app, asked := apps[l.Instance]
		if !asked {
			in, err := p.store.Instance(ctx, l.Instance)
			if err != nil && cluster.CodeOf(err) != cluster.CodeNotFound {
				return nil, err
			}
			if in.NodeID == node.ID {
				app = in.AppID
			}
			apps[l.Instance] = app
		}
		if app != "" {
			l.App, l.Node = app, node.Name
			out = append(out, l)
		}
	}
	return out, nil
}
