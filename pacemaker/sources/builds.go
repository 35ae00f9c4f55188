package sources

import (
	"context"
	"io"
	"os"

	"aorta/pacemaker/cluster"
)

// BuildSpec gives a builder what it needs to know of a build.
func (s *Sources) BuildSpec(ctx context.Context, id cluster.ID) (cluster.BuildSpec, error) {
	b, err := s.cfg.Store.Build(ctx, id)
	if err != nil {
		return cluster.BuildSpec{}, err
	}
	app, err := s.cfg.Store.AppByID(ctx, b.AppID)
	if err != nil {
		return cluster.BuildSpec{}, err
	}
	secrets, err := s.cfg.Store.BuildSecrets(ctx, b.AppID)
	if err != nil {
		return cluster.BuildSpec{}, err
	}
	return cluster.BuildSpec{
		ID: b.ID, AppID: b.AppID, App: app.Name, Kind: b.Kind, Source: b.Source, State: b.State, Image: b.Image, Cluster: s.cfg.Cluster, Secrets: secrets,
	}, nil
}

// BuildSource gives a build's source as a tar stream; the caller closes it.
func (s *Sources) BuildSource(ctx context.Context, id cluster.ID) (io.ReadCloser, error) {
	b, err := s.cfg.Store.Build(ctx, id)
	if err != nil {
		return nil, err
	}
	switch b.Kind {
	case cluster.SourceCommit:
		return s.commit(ctx, b)
	case cluster.SourceArchive:
		f, err := os.Open(s.ArchivePath(id))
		if err != nil {
			return nil, cluster.NotFound("the archive that build %s was made from is not kept any more: deploy it again (aorta deploy)", id.Short())
		}
		return f, nil
	}
	return nil, cluster.Invalid("build", "build %s has no source of its own", id)
}

// commit gives the files of a commit, or says that the repository lacks it.
func (s *Sources) commit(ctx context.Context, b cluster.Build) (io.ReadCloser, error) {
	repo := s.Repo(b.AppID)
	there, err := repo.IsCommit(ctx, b.Source)
	if err == nil && !there {
		err = cluster.NotFound("commit %.10s, which build %s was made from, is not kept any more: push it or a later one (git push aorta main), or upload its files (aorta deploy)", b.Source, b.ID.Short())
	}
	if err != nil {
		return nil, err
	}
	return repo.Archive(ctx, b.Source)
}

// BuildDone records how a build ended.
func (s *Sources) BuildDone(ctx context.Context, id cluster.ID, result cluster.BuildResult) error {
	switch result.State {
	case cluster.BuildReady, cluster.BuildFailed:
	default:
		return cluster.Invalid("state", "%q is not how a build ends (ready, failed)", result.State)
	}
	if result.Replaces != "" {
		return s.cfg.Store.ReplaceImage(ctx, id, result.Replaces, result.Image)
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
	if err := (cluster.RequestLimits{}).With(result.Route).Validate("route."); err != nil {
		return err
	}
	return s.cfg.Store.EndBuild(ctx, id, result)
}
