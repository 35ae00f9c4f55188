package main

import (
	"strings"
	"testing"

	"aorta/web/wire"
)

// twoImages are one that stays and one that goes.
func twoImages(api *fakeAPI, path string) {
	api.on("GET "+path, 200, wire.Page[wire.Image]{Items: []wire.Image{
		{ID: "sha256:0123456789abcdef", Node: "n1", App: "shop", Releases: []string{"v9", "v8", "v7", "v6"}, Size: 61_500_000, CreatedAt: *ago(0), InUse: true, Because: "v9 serves or has instances"},
		{ID: "sha256:fedcba9876543210", Node: "n1", Releases: []string{}, Size: 20_000_000, CreatedAt: *ago(0), Collect: true, Because: "its app is gone"},
	}})
}

func TestImages_SayWhatBecomesOfEach(t *testing.T) {
	api := shop(t)
	twoImages(api, "/images")
	twoImages(api, "/apps/shop/images")
	api.on("GET /registry", 200, wire.Registry{Images: 2, Size: 81_500_000})
	c := newCLI(t, api)

	all := c.run("images")
	of := c.run("images", "-a", "shop")
	wide := c.run("images", "--wide")
	dry := c.run("images", "prune", "--dry-run", "--wide")

	wantCode(t, all, 0)
	wantIn(t, "all", all.out, "shop", "v9 v8 v7 +1", "61.5 MB", "in use", "v9 serves or has instances", "to be removed", "its app is gone")
	wantIn(t, "all", all.err, "the registry holds 2 images, 81.5 MB on the pacemaker's disk")
	if of.out != all.out {
		t.Errorf("of one app: got\n%s\nwant what its API has\n%s", of.out, all.out)
	}
	wantIn(t, "wide", wide.out, "0123456789ab", "n1")
	wantIn(t, "dry run", dry.out, "fedcba987654", "its app is gone")
	wantIn(t, "dry run", dry.err, "1 image, 20.0 MB at most")
	if strings.Contains(dry.out, "0123456789ab") || len(api.writes()) != 0 {
		t.Errorf("dry run: got\n%s\nand %v; want what would go alone, and nothing done", dry.out, api.writes())
	}
}

func TestImages_PrunePrintsWhatItRemoved(t *testing.T) {
	api := shop(t)
	api.on("POST /images/prune", 202, wire.Accepted{Job: "j1"})
	c := newCLI(t, api)

	got := c.run("images", "prune")

	wantCode(t, got, 0)
	wantIn(t, "stdout", got.out, "the last word")
}

func TestImages_PruneWithNothingToRemove(t *testing.T) {
	api := shop(t)
	api.on("POST /apps/shop/images/prune", 202, wire.Accepted{})
	c := newCLI(t, api)

	got := c.run("images:prune", "-a", "shop")

	wantCode(t, got, 0)
	wantIn(t, "stderr", got.err, "nothing to remove")
}
