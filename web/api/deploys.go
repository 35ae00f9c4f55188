package api

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aorta/internal/duration"
	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/wire"
)

type deployImage struct {
	access.AppPath
	Body wire.Deploy
}

// deployArchive streams its body: an archive is larger than what should lie in
// memory.
type deployArchive struct {
	access.AppPath
	Message  string `query:"message" maxLength:"500"`
	Author   string `query:"author" maxLength:"500" doc:"who wrote what is deployed, by name"`
	Type     string `header:"Content-Type"`
	Encoding string `header:"Content-Encoding"`
	body     io.Reader
}

// Resolve keeps the body for the handler.
func (d *deployArchive) Resolve(ctx huma.Context) []error {
	d.body = &moving{ctx.BodyReader(), ctx.SetReadDeadline}
	return nil
}

// stallTimeout is how long an upload may rest between two pieces.
const stallTimeout = 90 * time.Second

// moving is a body that may take its time and not stand still: what has come of it
// takes room on the disk.
type moving struct {
	io.Reader
	deadline func(time.Time) error
}

// Read is part of io.Reader.
func (m *moving) Read(p []byte) (int, error) {
	_ = m.deadline(time.Now().Add(stallTimeout))
	n, err := m.Reader.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = cluster.Invalid("body", "nothing of it came for %s: send it again", duration.Text(stallTimeout))
	}
	return n, err
}

// unpacked is what a gzip reader gives; what is damaged is the sender's fault.
type unpacked struct{ io.Reader }

// Read is part of io.Reader.
func (u unpacked) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, new(flate.CorruptInputError)) {
		err = cluster.Invalid("body", "is damaged, or not all of it came (%v): send it again", err)
	}
	return n, err
}

func (a *API) deployRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/apps/{app}/deploys", Summary: "Deploy an image that exists", Role: access.Developer, Subject: access.OnApp, Status: http.StatusAccepted}, a.deployImage)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/apps/{app}/deploys/archive", Summary: "Deploy a tar archive (optionally gzipped) with a Dockerfile", Role: access.Developer, Subject: access.OnApp, Status: http.StatusAccepted, Stream: true}, a.deployArchive)
}

func (a *API) deployImage(ctx context.Context, in *deployImage) (*rest.Reply[wire.Accepted], error) {
	return rest.Accepted(a.pace.DeployImage(ctx, in.App(), in.Body.Image, in.Body.Message, auth.User(ctx).Name))
}

func (a *API) deployArchive(ctx context.Context, in *deployArchive) (*rest.Reply[wire.Accepted], error) {
	if in.Type != "application/x-tar" {
		return nil, cluster.Invalid("Content-Type", "%.80q is not application/x-tar", in.Type)
	}
	body := in.body
	var err error
	switch in.Encoding {
	case "":
	case "gzip":
		if body, err = gzip.NewReader(body); err != nil {
			return nil, cluster.Invalid("body", "is not gzip: %v", err)
		}
		body = unpacked{body}
	default:
		return nil, cluster.Invalid("Content-Encoding", "%.80q is not known (gzip, or none)", in.Encoding)
	}
	return rest.Accepted(a.pace.DeployArchive(ctx, in.App(), body, pacemaker.Note{Message: in.Message, Author: in.Author, User: auth.User(ctx).Name}))
}
