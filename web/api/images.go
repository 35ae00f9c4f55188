package api

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/view"
	"aorta/web/wire"
)

type listImages struct{ rest.Paged }

type listAppImages struct {
	access.AppPath
	rest.Paged
}

func (a *API) imageRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/images", Summary: "List the images on the nodes' engines and in the registry, and what becomes of each", Role: access.Viewer, Subject: access.OnCluster}, a.listImages)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/images/prune", Summary: "Remove the images that nothing needs", Role: access.Admin, Subject: access.OnCluster, Status: http.StatusAccepted}, a.pruneImages)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/registry", Summary: "Show how much the cluster's registry holds", Role: access.Viewer, Subject: access.OnCluster}, a.showRegistry)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}/images", Summary: "List an app's images, and what becomes of each", Role: access.Viewer, Subject: access.OnApp}, a.listAppImages)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/apps/{app}/images/prune", Summary: "Remove an app's images that nothing needs", Role: access.Developer, Subject: access.OnApp, Status: http.StatusAccepted}, a.pruneAppImages)
}

func (a *API) listImages(ctx context.Context, in *listImages) (*rest.Reply[wire.Page[wire.Image]], error) {
	return a.imagesOf(ctx, in.Paged, "")
}

func (a *API) listAppImages(ctx context.Context, in *listAppImages) (*rest.Reply[wire.Page[wire.Image]], error) {
	return a.imagesOf(ctx, in.Paged, in.App().ID)
}

func (a *API) imagesOf(ctx context.Context, page rest.Paged, app cluster.ID) (*rest.Reply[wire.Page[wire.Image]], error) {
	if err := page.Check(checkImageKey); err != nil {
		return nil, err
	}
	list, err := a.view.Images(ctx, app)
	if err != nil {
		return nil, err
	}
	return rest.OK(rest.Window(page, list, view.ImageKey), nil)
}

func (a *API) showRegistry(ctx context.Context, _ *struct{}) (*rest.Reply[wire.Registry], error) {
	return rest.OK(a.view.Registry(ctx))
}

// checkImageKey is the form of view.ImageKey.
func checkImageKey(field, key string) error {
	node, below, _ := strings.Cut(key, "/")
	id, _, _ := strings.Cut(below, "/")
	if err := cluster.ValidateNodeName(field, node); err != nil {
		return err
	}
	if !imageID.MatchString(id) {
		return cluster.Invalid(field, "%.80q is not the id of an image", id)
	}
	return nil
}

var imageID = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func (a *API) pruneImages(ctx context.Context, _ *struct{}) (*rest.Reply[wire.Accepted], error) {
	return rest.Accepted(a.pace.PruneImages(ctx, cluster.App{}, auth.User(ctx).Name))
}

func (a *API) pruneAppImages(ctx context.Context, in *access.AppPath) (*rest.Reply[wire.Accepted], error) {
	return rest.Accepted(a.pace.PruneImages(ctx, in.App(), auth.User(ctx).Name))
}
