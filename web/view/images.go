package view

import (
	"cmp"
	"context"
	"slices"

	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// Images are the images on all nodes' engines, or those of one app alone. Those
// of nodes that are gone are left out.
func (v *Views) Images(ctx context.Context, app cluster.ID) ([]wire.Image, error) {
	all, err := v.pace.Images.All(ctx)
	if err != nil {
		return nil, err
	}
	nodes, err := v.store.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	names := map[cluster.ID]string{}
	for _, n := range nodes {
		names[n.ID] = n.Name
	}
	list := []wire.Image{}
	for _, on := range all {
		for _, f := range on.Fates {
			if names[on.Node] != "" && (app == "" || f.App == app) {
				list = append(list, image(names[on.Node], f))
			}
		}
	}
	slices.SortFunc(list, func(a, b wire.Image) int { return cmp.Compare(ImageKey(a), ImageKey(b)) })
	return list, nil
}

// ImageKey orders images, and tells two of them apart.
func ImageKey(i wire.Image) string { return i.Node + "/" + i.ID }

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
