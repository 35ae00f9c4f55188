package plan

import (
	"cmp"
	"fmt"
	"slices"

	"aorta/pacemaker/cluster"
)

// ImageRules are what decides about the images of an engine.
type ImageRules struct {
	Uses    []cluster.ImageUse
	Apps    map[cluster.ID]string // names of those that are there
	Builds  []cluster.ID          // that a job is at work on
	Keep    int                   // how many of an app's newest releases keep their images
	MaxSize int64                 // bytes, of all images of an engine; 0: no limit
}

// Images decides what becomes of each image of an engine. What serves, what a
// container was made from and what a job is at work on stays in any case. Of the
// rest, the oldest go while all together take more than the limit.
func Images(list []cluster.EngineImage, r ImageRules) []cluster.ImageFate {
	newest := newestOf(list)
	fates := make([]cluster.ImageFate, 0, len(list))
	bound := map[string]bool{} // by id: stays whatever its size
	for _, img := range list {
		f, stays := r.fate(img, newest)
		bound[img.ID] = stays
		fates = append(fates, f)
	}
	r.limitSize(fates, bound)
	return fates
}

// newestOf finds the newest image of each app, by id: the next build takes from it
// what has not changed, also if no release was made of it.
func newestOf(list []cluster.EngineImage) map[string]bool {
	byApp := map[cluster.ID]cluster.EngineImage{}
	for _, img := range list {
		if have, found := byApp[img.App]; img.App != "" && (!found || img.CreatedAt.After(have.CreatedAt)) {
			byApp[img.App] = img
		}
	}
	newest := map[string]bool{}
	for _, img := range byApp {
		newest[img.ID] = true
	}
	return newest
}

// fate decides without the limit of size; stays says that the limit is no matter.
func (r ImageRules) fate(img cluster.EngineImage, newest map[string]bool) (f cluster.ImageFate, stays bool) {
	return r.judge(img, r.usesOf(img), newest)
}

// judge decides by the releases of an image, the newest first.
func (r ImageRules) judge(img cluster.EngineImage, uses []cluster.ImageUse, newest map[string]bool) (f cluster.ImageFate, stays bool) {
	f = cluster.ImageFate{EngineImage: img, AppName: r.Apps[img.App]}
	live, kept := "", false
	for _, u := range uses {
		f.App, f.AppName = u.App, u.AppName
		f.Releases = append(f.Releases, cluster.ReleaseLabel(u.Number))
		if !slices.Contains(f.Refs, u.Image.Ref) {
			f.Refs = append(f.Refs, u.Image.Ref)
		}
		if u.Live && live == "" {
			live = cluster.ReleaseLabel(u.Number)
		}
		kept = kept || u.Kept
	}
	switch {
	case live != "":
		f.Because, stays = live+" serves or has instances", true
	case img.InUse:
		f.Because, stays = "a container was made from it", true
	case img.Build != "" && slices.Contains(r.Builds, img.Build):
		f.Because, stays = "a job is at work on it", true
	case kept:
		f.Because = fmt.Sprintf("one of the %d newest releases", r.Keep)
	case f.AppName != "" && newest[img.ID]:
		f.Because = "the next build takes from it what has not changed"
	default:
		f.Collect, f.Because = true, r.whyNot(f)
	}
	return f, stays
}

// usesOf finds the releases of an image, the newest first.
func (r ImageRules) usesOf(img cluster.EngineImage) []cluster.ImageUse {
	var uses []cluster.ImageUse
	for _, u := range r.Uses {
		if u.Image.Is(img.ID) {
			uses = append(uses, u)
		}
	}
	newestFirst(uses)
	return uses
}

func newestFirst(uses []cluster.ImageUse) {
	slices.SortStableFunc(uses, func(a, b cluster.ImageUse) int { return cmp.Compare(b.Number, a.Number) })
}

func (r ImageRules) whyNot(f cluster.ImageFate) string {
	switch {
	case f.AppName == "" && f.Origin != cluster.ImagePulled:
		return "its app is gone"
	case len(f.Releases) == 0:
		return "no release has it"
	}
	return fmt.Sprintf("older than the %d newest releases", r.Keep)
}

// limitSize gives up the oldest of what need not stay, while what stays takes
// more than the limit.
func (r ImageRules) limitSize(fates []cluster.ImageFate, bound map[string]bool) {
	var total int64
	var spare []*cluster.ImageFate
	for i := range fates {
		f := &fates[i]
		if f.Collect {
			continue
		}
		total += f.Size
		if !bound[f.ID] {
			spare = append(spare, f)
		}
	}
	slices.SortStableFunc(spare, func(a, b *cluster.ImageFate) int { return a.CreatedAt.Compare(b.CreatedAt) })
	for _, f := range spare {
		if r.MaxSize == 0 || total <= r.MaxSize {
			return
		}
		total -= f.Size
		f.Collect, f.Because = true, fmt.Sprintf("the images together take more than %d GB", r.MaxSize/1e9)
	}
}
