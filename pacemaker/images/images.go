// Package images knows the images on the nodes' engines, as their hearts report
// them, and what becomes of each. It removes none, and begins no removal.
package images

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

// Config is what images need.
type Config struct {
	Store        *store.Store
	Registry     Registry
	KeepReleases int   // how many of an app's newest releases keep their images
	MaxSize      int64 // bytes, of all images of an engine; 0: no limit
	// Changed is called when a node has reported.
	Changed func(node cluster.ID)
	Now     func() time.Time
}

// Images are those of the cluster. Make them with New.
type Images struct {
	cfg Config
	mu  sync.Mutex // guards reports and built
	// Both can be lost: nodes report again within a minute.
	reports   map[cluster.ID]report // by node
	built     map[cluster.ID]string // by node, the image of its last build
	transfers transfers
}

type report struct {
	at   time.Time
	list []cluster.EngineImage
}

// OnNode is what is known of the images on one node's engine.
type OnNode struct {
	Node  cluster.ID
	At    time.Time // when the node reported them
	Fates []cluster.ImageFate
}

// New makes them; no node has reported yet.
func New(cfg Config) *Images {
	return &Images{cfg: cfg, reports: map[cluster.ID]report{}, built: map[cluster.ID]string{}, transfers: transfers{taken: map[cluster.ID]by{}}}
}

// Reported takes what a node has, and answers what becomes of it.
func (i *Images) Reported(ctx context.Context, node cluster.ID, list []cluster.EngineImage) ([]cluster.ImageFate, error) {
	rules, err := i.rules(ctx, buildsOf(list))
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	i.reports[node] = report{i.cfg.Now(), list}
	i.mu.Unlock()
	i.cfg.Changed(node)
	return plan.Images(list, rules), nil
}

// All says what becomes of the images on each node that has reported, by today's
// releases. The nodes are in the order of their ids.
func (i *Images) All(ctx context.Context) ([]OnNode, error) {
	i.mu.Lock()
	reports := maps.Clone(i.reports)
	i.mu.Unlock()
	var list []cluster.EngineImage
	for _, r := range reports {
		list = append(list, r.list...)
	}
	rules, err := i.rules(ctx, buildsOf(list))
	if err != nil {
		return nil, err
	}
	all := make([]OnNode, 0, len(reports))
	for node, r := range reports {
		all = append(all, OnNode{node, r.at, plan.Images(r.list, rules)})
	}
	slices.SortFunc(all, func(a, b OnNode) int { return cmp.Compare(a.Node, b.Node) })
	return all, nil
}

// Holders are the nodes that have reported an image.
func (i *Images) Holders(image cluster.Image) []cluster.ID {
	i.mu.Lock()
	defer i.mu.Unlock()
	var nodes []cluster.ID
	for node, r := range i.reports {
		if r.has(image) {
			nodes = append(nodes, node)
		}
	}
	slices.Sort(nodes)
	return nodes
}

// Holds says that a node has an image for all that is known.
func (i *Images) Holds(node cluster.ID, image cluster.Image) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return image.Is(i.built[node]) || i.reports[node].has(image)
}

func (r report) has(image cluster.Image) bool {
	return slices.ContainsFunc(r.list, func(img cluster.EngineImage) bool { return image.Is(img.ID) })
}

func buildsOf(list []cluster.EngineImage) []cluster.ID {
	var builds []cluster.ID
	for _, img := range list {
		builds = append(builds, img.Build)
	}
	return builds
}

// rules reads what decides about the images of builds.
func (i *Images) rules(ctx context.Context, builds []cluster.ID) (plan.ImageRules, error) {
	r := plan.ImageRules{Keep: i.cfg.KeepReleases, MaxSize: i.cfg.MaxSize, Apps: map[cluster.ID]string{}}
	slices.Sort(builds)
	var err error
	if r.Uses, err = i.cfg.Store.ImageUses(ctx, r.Keep, slices.Compact(builds)); err != nil {
		return r, err
	}
	if r.Builds, err = i.cfg.Store.OpenBuilds(ctx); err != nil {
		return r, err
	}
	apps, err := i.cfg.Store.Apps(ctx, "", -1)
	for _, app := range apps {
		r.Apps[app.ID] = app.Name
	}
	return r, err
}
