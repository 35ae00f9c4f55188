package api

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

type deployImage struct {
	AppPath
	Body wire.Deploy
}

// deployArchive streams its body: an archive is larger than what should lie in
// memory.
type deployArchive struct {
	AppPath
	Message  string `query:"message" maxLength:"500"`
	Type     string `header:"Content-Type"`
	Encoding string `header:"Content-Encoding"`
	body     io.Reader
}

// Resolve keeps the body for the handler.
func (d *deployArchive) Resolve(ctx huma.Context) []error {
	d.body = ctx.BodyReader()
	return nil
}

func (a *API) deployRoutes(h huma.API) {
	register(h, a, route{method: post, path: "/apps/{app}/deploys", summary: "Deploy an image that exists", policy: developers, status: http.StatusAccepted}, a.deployImage)
	register(h, a, route{method: post, path: "/apps/{app}/deploys/archive", summary: "Deploy a tar archive (optionally gzipped) with a Dockerfile", policy: developers, status: http.StatusAccepted, stream: true}, a.deployArchive)
}

func (a *API) deployImage(ctx context.Context, in *deployImage) (*reply[wire.Accepted], error) {
	app, err := a.app(ctx, in.AppPath)
	if err != nil {
		return nil, err
	}
	return accepted(a.pace.DeployImage(ctx, app, in.Body.Image, in.Body.Message, userOf(ctx).Name))
}

func (a *API) deployArchive(ctx context.Context, in *deployArchive) (*reply[wire.Accepted], error) {
	app, err := a.app(ctx, in.AppPath)
	if err != nil {
		return nil, err
	}
	if in.Type != "application/x-tar" {
		return nil, cluster.Invalid("Content-Type", "%.80q is not application/x-tar", in.Type)
	}
	body := in.body
	switch in.Encoding {
	case "":
	case "gzip":
		if body, err = gzip.NewReader(body); err != nil {
			return nil, cluster.Invalid("body", "is not gzip: %v", err)
		}
	default:
		return nil, cluster.Invalid("Content-Encoding", "%.80q is not known (gzip, or none)", in.Encoding)
	}
	return accepted(a.pace.DeployArchive(ctx, app, body, in.Message, userOf(ctx).Name))
}
