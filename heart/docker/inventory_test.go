package docker_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"aorta/heart/docker"
	"aorta/heart/docker/dockerfile"
	"aorta/heart/internal/rig"
	"aorta/pacemaker/cluster"
)

// pull pulls an image for a build and gives its entry in the inventory.
func pull(tb testing.TB, e *docker.Engine, ref string, build cluster.ID) cluster.EngineImage {
	tb.Helper()
	if err := e.PullFor(tb.Context(), ref, build, func(string) {}); err != nil {
		tb.Fatal(err)
	}
	list, err := e.Inventory(tb.Context())
	at := slices.IndexFunc(list, func(i cluster.EngineImage) bool { return i.Build == build })
	if err != nil || at < 0 {
		tb.Fatalf("got the images %+v, %v, want one for build %s", list, err, build)
	}
	return list[at]
}

func TestInventory_APulledImageGoesWithAllItsNames(t *testing.T) {
	t.Parallel()
	e, _ := rig.Engine(t)
	build := cluster.NewID()
	ref := rig.Registry(t, "shop", string(build))

	img := pull(t, e, ref, build)
	freed, err := e.Discard(t.Context(), img, []string{ref})

	if img.Origin != cluster.ImagePulled || !slices.Equal(img.Names, []string{ref}) || img.InUse || err != nil || freed != img.Size {
		t.Errorf("got %+v, then %d bytes and %v; want the pulled image, and it removed", img, freed, err)
	}
	if _, err := e.Image(t.Context(), img.ID); !errors.Is(err, docker.ErrNoImage) {
		t.Errorf("got %v, want no image", err)
	}
}

// A release knows an image by its digest too; a second cluster, or a person, may
// have use for it.
func TestInventory_APulledImageOfOthersStays(t *testing.T) {
	t.Parallel()
	e, _ := rig.Engine(t)
	other, _ := rig.Engine(t)
	build, theirs := cluster.NewID(), cluster.NewID()
	ref := rig.Registry(t, "shop", string(build))
	img := pull(t, e, ref, build)
	second := pull(t, other, ref, theirs)

	freed, err := e.Discard(t.Context(), img, []string{ref})
	list, listErr := e.Inventory(t.Context())

	if err != nil || freed != 0 || listErr != nil || len(list) != 0 {
		t.Errorf("got %d bytes, %v and %+v, %v; want that this cluster has it no more", freed, err, list, listErr)
	}
	if _, err := other.Image(t.Context(), second.ID); err != nil {
		t.Errorf("the other cluster's image: %v", err)
	}
	if freed, err := other.Discard(t.Context(), second, []string{ref}); err != nil || freed == 0 {
		t.Errorf("got %d bytes, %v, want it gone with its last user", freed, err)
	}
}

// What somebody makes from one of the cluster's images has its labels, and
// anybody can write them; a name of theirs is theirs.
func TestInventory_WhatOthersMadeOrNamedStays(t *testing.T) {
	t.Parallel()
	e, id := rig.Engine(t)
	built := rig.Image(t, e, id)
	theirs := "strangers/kept:" + string(cluster.NewID())
	if err := e.Tag(t.Context(), built.ID, theirs); err != nil {
		t.Fatal(err)
	}
	derived := "strangers/derived:" + string(cluster.NewID())
	if err := e.BuildKit(t.Context(), dockerfile.Recipe{
		Dockerfile: "Dockerfile", Text: []byte("FROM " + built.Ref + "\nENV A=1\n"), Content: strings.NewReader(""), Tag: derived, Line: func(string) {},
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rig.Unname(t, derived, theirs) })

	before, err := e.Inventory(t.Context())
	if err != nil || len(before) != 1 || before[0].ID != built.ID {
		t.Fatalf("got %+v, %v, want the built image alone", before, err)
	}
	freed, err := e.Discard(t.Context(), before[0], nil)
	after, listErr := e.Inventory(t.Context())

	if err != nil || freed != 0 || listErr != nil || len(after) != 0 {
		t.Errorf("got %d bytes, %v and %+v, %v; want that this cluster has it no more", freed, err, after, listErr)
	}
	for _, name := range []string{theirs, derived} {
		if _, err := e.Image(t.Context(), name); err != nil {
			t.Errorf("%s: %v, want it kept", name, err)
		}
	}
}
