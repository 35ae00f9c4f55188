package view

import (
	"cmp"
	"context"
	"slices"

	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// Images are the images on all nodes' engines and in the registry, or those of one app
// alone. Those of nodes that are gone are left out.
func (v *Views) Images(ctx context.Context, app cluster.ID) ([]wire.Image, error) {
	all, err := v.pace.Images.All(ctx)
	if err != nil {
		return nil, err
	}
	nodes, err := v.store.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	names := cluster.NodeNames(nodes)
	list := []wire.Image{}
	for _, on := range all {
		for _, f := range on.Fates {
			if names[on.Node] != "" && (app == "" || f.App == app) {
				list = append(list, image(names[on.Node], f))
			}
		}
	}
	pushed, err := v.pace.Images.InRegistry(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range pushed {
		if app == "" || f.App == app {
			list = append(list, pushedImage(f))
		}
	}
	slices.SortFunc(list, func(a, b wire.Image) int { return cmp.Compare(ImageKey(a), ImageKey(b)) })
	return list, nil
}

// InRegistry is the place of images in the registry, where others have their node.
const InRegistry = "registry"

// ImageKey orders images, and tells two of them apart. In the registry, one may be
// there under several names.
func ImageKey(i wire.Image) string {
	key := i.Node + "/" + i.ID
	if i.Origin == originPushed {
		key += "/" + i.Names[0]
	}
	return key
}

const originPushed = "pushed"

func pushedImage(f cluster.RegistryFate) wire.Image {
	w := wire.Image{
		ID: f.Digest, Node: InRegistry, App: f.AppName, Releases: f.Releases, Names: []string{string(f.App) + ":" + string(f.Build)},
		Origin: originPushed, Size: f.Size, CreatedAt: f.PushedAt, Collect: f.Collect, Because: f.Because,
	}
	if w.Releases == nil {
		w.Releases = []string{}
	}
	return w
}

func image(node string, f cluster.ImageFate) wire.Image {
	w := wire.Image{
		ID: f.ID, Node: node, App: f.AppName, Releases: f.Releases, Names: f.Names, Origin: string(f.Origin), Size: f.Size,
		CreatedAt: f.CreatedAt, InUse: f.InUse, Collect: f.Collect, Because: f.Because,
	}
	if w.Releases == nil {
		w.Releases = []string{}
	}
	if w.Names == nil {
		w.Names = []string{}
	}
	return w
}

// Registry is how much the cluster's registry holds.
func (v *Views) Registry(ctx context.Context) (wire.Registry, error) {
	list, err := v.pace.Images.InRegistry(ctx)
	if err != nil {
		return wire.Registry{}, err
	}
	size, err := v.pace.Images.RegistryUsed()
	return wire.Registry{Images: len(list), Size: size}, err
}
