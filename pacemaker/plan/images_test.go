package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aorta/pacemaker/cluster"
)

// engine describes images in the order of their age, oldest first.
func engine(list ...cluster.EngineImage) []cluster.EngineImage {
	for i := range list {
		list[i].CreatedAt = time.Unix(int64(i), 0)
		if list[i].Origin == "" {
			list[i].Origin = cluster.ImageBuilt
		}
		if list[i].Size == 0 {
			list[i].Size = 1e9
		}
	}
	return list
}

func use(image string, n int, live, kept bool) cluster.ImageUse {
	return cluster.ImageUse{Image: cluster.Image{ID: image, Ref: "ref:" + image}, App: "shop", AppName: "shop", Number: n, Live: live, Kept: kept}
}

// summary is one line for each image: what becomes of it, and why.
func summary(fates []cluster.ImageFate) string {
	var lines []string
	for _, f := range fates {
		what := "keep"
		if f.Collect {
			what = "collect"
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s", what, f.ID, f.Because))
	}
	return strings.Join(lines, "\n")
}

func TestImages_WhatBecomesOfEach(t *testing.T) {
	rules := ImageRules{
		Keep: 2, Apps: map[cluster.ID]string{"shop": "shop"}, Builds: []cluster.ID{"b7"},
		Uses: []cluster.ImageUse{use("old", 1, false, false), use("live", 2, true, false), use("window", 3, false, true), use("pulled", 4, false, true), use("left", 1, false, false)},
	}
	list := engine(
		cluster.EngineImage{ID: "old", App: "shop", Build: "b1"},
		cluster.EngineImage{ID: "live", App: "shop", Build: "b2"},
		cluster.EngineImage{ID: "window", App: "shop", Build: "b3"},
		cluster.EngineImage{ID: "used", App: "shop", Build: "b4", InUse: true},
		cluster.EngineImage{ID: "gone", App: "blog", Build: "b5"},
		cluster.EngineImage{ID: "failed", App: "shop", Build: "b6"},
		cluster.EngineImage{ID: "open", App: "shop", Build: "b7"},
		cluster.EngineImage{ID: "pulled", Build: "b8", Origin: cluster.ImagePulled},
		cluster.EngineImage{ID: "left", Build: "b9", Origin: cluster.ImagePulled},
		cluster.EngineImage{ID: "newest", App: "shop", Build: "b10"},
	)

	got := summary(Images(list, rules))

	want := strings.Join([]string{
		"collect old: older than the 2 newest releases",
		"keep live: v2 serves or has instances",
		"keep window: one of the 2 newest releases",
		"keep used: a container was made from it",
		"collect gone: its app is gone",
		"collect failed: no release has it",
		"keep open: a job is at work on it",
		"keep pulled: one of the 2 newest releases",
		"collect left: older than the 2 newest releases",
		"keep newest: the next build takes from it what has not changed",
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// An engine that has an image under another id than its builder's has the release's all
// the same.
func TestImages_AreKnownByTheIDsOfEveryEngine(t *testing.T) {
	u := use("built", 1, true, true)
	u.Image.Pushed, u.Image.Config = "manifest", "config"
	rules := ImageRules{Keep: 1, Apps: map[cluster.ID]string{"shop": "shop"}, Uses: []cluster.ImageUse{u}}

	for _, id := range []string{"built", "manifest", "config", "other"} {
		got := Images(engine(cluster.EngineImage{ID: id, App: "gone"}), rules)

		if want := id == "other"; got[0].Collect != want {
			t.Errorf("%s: got it collected: %v (%s), want %v", id, got[0].Collect, got[0].Because, want)
		}
	}
}

func TestImages_OverTheLimitTheOldestGo(t *testing.T) {
	rules := ImageRules{
		Keep: 10, MaxSize: 3e9, Apps: map[cluster.ID]string{"shop": "shop"},
		Uses: []cluster.ImageUse{use("a", 1, true, true), use("b", 2, false, true), use("c", 3, false, true), use("d", 4, false, true), use("e", 5, false, true)},
	}
	list := engine(
		cluster.EngineImage{ID: "a", App: "shop"}, cluster.EngineImage{ID: "b", App: "shop"}, cluster.EngineImage{ID: "c", App: "shop"},
		cluster.EngineImage{ID: "d", App: "shop"}, cluster.EngineImage{ID: "e", App: "shop"},
	)

	got := summary(Images(list, rules))

	want := "keep a: v1 serves or has instances\n" +
		"collect b: the images together take more than 3 GB\ncollect c: the images together take more than 3 GB\n" +
		"keep d: one of the 10 newest releases\nkeep e: one of the 10 newest releases"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Whatever else there is: what serves, what a container was made from and what a
// job is at work on is never collected.
func TestImages_NeverTakesWhatIsNeeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
		var rules ImageRules
		rules.MaxSize = rapid.Int64Range(0, 3e9).Draw(t, "limit")
		rules.Keep = rapid.IntRange(1, 3).Draw(t, "keep")
		for n := range rapid.IntRange(0, 8).Draw(t, "releases") {
			rules.Uses = append(rules.Uses, use(ids.Draw(t, "image"), n+1, rapid.Bool().Draw(t, "live"), rapid.Bool().Draw(t, "kept")))
		}
		var list []cluster.EngineImage
		for _, id := range rapid.SliceOfNDistinct(ids, 0, 6, rapid.ID[string]).Draw(t, "images") {
			list = append(list, cluster.EngineImage{
				ID: id, App: cluster.ID(rapid.SampledFrom([]string{"", "shop", "gone"}).Draw(t, "app")), Build: cluster.ID(id), InUse: rapid.Bool().Draw(t, "used"),
				Origin: rapid.SampledFrom([]cluster.ImageOrigin{cluster.ImageBuilt, cluster.ImagePulled}).Draw(t, "origin"),
			})
		}
		rules.Builds = []cluster.ID{"a"}

		for _, f := range Images(engine(list...), rules) {
			needed := f.InUse || f.Build == "a"
			for _, u := range rules.Uses {
				needed = needed || u.Live && u.Image.ID == f.ID
			}
			if needed && f.Collect {
				t.Fatalf("collects %+v", f)
			}
		}
	})
}
