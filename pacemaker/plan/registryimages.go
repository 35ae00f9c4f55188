package plan

import "aorta/pacemaker/cluster"

// RegistryImages decides what becomes of each image in the cluster's registry. What a
// release that serves was made from stays there, what a job is at work on, and what
// the newest releases of each app have. The limit of size is one of engines.
func RegistryImages(list []cluster.RegistryImage, r ImageRules) []cluster.RegistryFate {
	fates := make([]cluster.RegistryFate, 0, len(list))
	for _, img := range list {
		fates = append(fates, r.registryFate(img))
	}
	return fates
}

func (r ImageRules) registryFate(img cluster.RegistryImage) cluster.RegistryFate {
	var uses []cluster.ImageUse
	for _, u := range r.Uses {
		if u.Build == img.Build && u.App == img.App {
			uses = append(uses, u)
		}
	}
	newestFirst(uses)
	f, _ := r.judge(cluster.EngineImage{App: img.App, Build: img.Build, Origin: cluster.ImageBuilt}, uses, nil)
	return cluster.RegistryFate{RegistryImage: img, AppName: f.AppName, Releases: f.Releases, Collect: f.Collect, Because: f.Because}
}
