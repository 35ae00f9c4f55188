package client

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/url"

	"aorta/web/wire"
)

// Archive is a tar to deploy. Open is called for each attempt, so it must give
// the same bytes each time, or an error at the second.
type Archive struct {
	Open    func() (io.ReadCloser, error)
	Gzip    bool // the bytes are a gzipped tar
	Message string
	Author  string // who wrote what is in it, by name
}

// DeployImage deploys an image that exists.
func (c *Client) DeployImage(ctx context.Context, app string, d wire.Deploy) (wire.Accepted, error) {
	return write[wire.Accepted](ctx, c, input{body: d}, "apps", app, "deploys")
}

// DeployArchive uploads a tar, as it is read, and deploys what is built of it.
func (c *Client) DeployArchive(ctx context.Context, app string, tar Archive) (wire.Accepted, error) {
	p, err := path("apps", app, "deploys", "archive")
	if err != nil {
		return wire.Accepted{}, err
	}
	up := call{method: http.MethodPost, path: p, header: idempotent(), body: tar.Open, query: url.Values{}}
	for name, value := range map[string]string{"message": tar.Message, "author": tar.Author} {
		if value != "" {
			up.query.Set(name, value)
		}
	}
	up.header.Set("Content-Type", "application/x-tar")
	// A refusal then comes before the bytes are sent in vain.
	up.header.Set("Expect", "100-continue")
	if tar.Gzip {
		up.header.Set("Content-Encoding", "gzip")
	}
	return do[wire.Accepted](ctx, c, up)
}

// Releases are an app's releases, the newest first.
func (c *Client) Releases(ctx context.Context, app string) iter.Seq2[wire.Release, error] {
	return items[wire.Release](ctx, c, nil, "apps", app, "releases")
}

// Release is one release by its label, such as v12.
func (c *Client) Release(ctx context.Context, app, label string) (wire.Release, error) {
	return get[wire.Release](ctx, c, nil, "apps", app, "releases", label)
}

// Builds are an app's builds, the newest first.
func (c *Client) Builds(ctx context.Context, app string) iter.Seq2[wire.Build, error] {
	return items[wire.Build](ctx, c, nil, "apps", app, "builds")
}

// Rebuild has a release's image built again, if it is gone.
func (c *Client) Rebuild(ctx context.Context, app string, of wire.Rebuild) (wire.Accepted, error) {
	return write[wire.Accepted](ctx, c, input{body: of}, "apps", app, "rebuild")
}

// CancelBuild ends a build of the app, and aborts its job.
func (c *Client) CancelBuild(ctx context.Context, app string, which wire.CancelBuild) (wire.Accepted, error) {
	return write[wire.Accepted](ctx, c, input{body: which}, "apps", app, "builds", "cancel")
}

// Images are the images on the nodes' engines; of an app alone, if it is named.
func (c *Client) Images(ctx context.Context, app string) iter.Seq2[wire.Image, error] {
	return items[wire.Image](ctx, c, nil, append(ofApp(app), "images")...)
}

// Registry is how much the cluster's registry holds.
func (c *Client) Registry(ctx context.Context) (wire.Registry, error) {
	return get[wire.Registry](ctx, c, nil, "registry")
}

// PruneImages removes the images that nothing needs; of an app alone, if it is named.
func (c *Client) PruneImages(ctx context.Context, app string) (wire.Accepted, error) {
	return write[wire.Accepted](ctx, c, input{}, append(ofApp(app), "images", "prune")...)
}

// ofApp begins the path of what is there for one app and for all.
func ofApp(app string) []string {
	if app == "" {
		return nil
	}
	return []string{"apps", app}
}

// PlanRollback says what a rollback would change.
func (c *Client) PlanRollback(ctx context.Context, app string, to wire.Rollback) (wire.RollbackPlan, error) {
	query := url.Values{}
	if to.Release != "" {
		query.Set("release", to.Release)
	}
	if to.CodeOnly {
		query.Set("code_only", "true")
	}
	return get[wire.RollbackPlan](ctx, c, query, "apps", app, "rollback")
}

// Rollback makes a new release of an older one.
func (c *Client) Rollback(ctx context.Context, app string, to wire.Rollback) (wire.Accepted, error) {
	return write[wire.Accepted](ctx, c, input{body: to}, "apps", app, "rollback")
}
