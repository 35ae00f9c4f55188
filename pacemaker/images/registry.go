package images

import (
	"context"
	"fmt"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
)

// Registry keeps the images that nodes take from one another.
type Registry interface {
	Images() ([]cluster.RegistryImage, error)
	// Used is how many bytes all of it takes.
	Used() (int64, error)
	// Sweep removes images, and then what none needs, but for what was pushed of late.
	Sweep(ctx context.Context, unneeded []cluster.RegistryImage) (freed int64, err error)
	// Verify reads all that it has of an app, and removes what is damaged.
	Verify(ctx context.Context, app cluster.ID) error
}

// InRegistry says what becomes of the images in the registry, by today's releases.
func (i *Images) InRegistry(ctx context.Context) ([]cluster.RegistryFate, error) {
	list, err := i.cfg.Registry.Images()
	if err != nil {
		return nil, err
	}
	builds := make([]cluster.ID, 0, len(list))
	for _, img := range list {
		builds = append(builds, img.Build)
	}
	rules, err := i.rules(ctx, builds)
	return plan.RegistryImages(list, rules), err
}

// RegistryUsed is how many bytes the registry takes on the disk.
func (i *Images) RegistryUsed() (int64, error) { return i.cfg.Registry.Used() }

// VerifyRegistry has what is damaged of an app's images sent again by the next push.
func (i *Images) VerifyRegistry(ctx context.Context, app cluster.ID) error {
	return i.cfg.Registry.Verify(ctx, app)
}

// SweepRegistry removes what nothing needs from the registry, of an app or of all, and
// tells what.
func (i *Images) SweepRegistry(ctx context.Context, app cluster.ID, tell func(line string)) error {
	fates, err := i.InRegistry(ctx)
	if err != nil {
		return err
	}
	var unneeded []cluster.RegistryImage
	for _, f := range fates {
		if f.Collect && (app == "" || f.App == app) {
			unneeded = append(unneeded, f.RegistryImage)
			tell(fmt.Sprintf("removed the image of build %s from the registry: %s", f.Build.Short(), f.Because))
		}
	}
	freed, err := i.cfg.Registry.Sweep(ctx, unneeded)
	tell(fmt.Sprintf("removed %d of %d images from the registry, %.1f MB; what was pushed in the last hours stays until the next time", len(unneeded), len(fates), float64(freed)/1e6))
	return err
}
