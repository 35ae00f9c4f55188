package pacemaker

import (
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// An image needs a node of its kind, and its size of the disk of each that has not got
// it, once.
func TestRoom_FindsRoomForTheImage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	release := r.Deploy(app, cluster.ProcessType{Name: "web"})
	release.Image = cluster.Image{ID: "sha256:big", Pushed: "sha256:there", Size: 3 << 30, Arch: "amd64"}
	r.load = cluster.Load{MemoryTotal: 64 << 30, DiskFree: 4 << 30, DiskUsed: 0.9}
	intel, arm := r.newNode("intel", cluster.RoleHeart), r.newNode("arm", cluster.RoleHeart)
	for arch, n := range map[string]cluster.Node{"amd64": intel, "arm64": arm} {
		_, err := r.store.SetTags(t.Context(), n, map[string]string{"arch": arch}, "ann")
		testkit.Must(t, err)
		r.report(n)
	}
	choose := func(room *room, image string, size int64, count int) error {
		other := release
		other.Image.ID, other.Image.Size = image, size
		_, err := room.choose(app.ID, other, "web", nil, count)
		return err
	}
	fresh := func() *room {
		room, err := r.room(t.Context())
		testkit.Must(t, err)
		return room
	}

	first := fresh()
	testkit.Must(t, choose(first, "sha256:big", 3<<30, 5))
	second := choose(first, "sha256:other", 1<<30, 1)
	again := choose(first, "sha256:big", 3<<30, 1)
	tooBig := choose(fresh(), "sha256:bigger", 4<<30, 1)
	r.Images.Done(intel, cluster.NewID(), cluster.BuildResult{State: cluster.BuildReady, Image: cluster.Image{ID: "sha256:bigger"}})
	built := choose(fresh(), "sha256:bigger", 4<<30, 1)

	wantCode(t, "beside the first image", second, cluster.CodeUnavailable, "intel has 1 GB of disk left: the image takes 1 GB, and 512 MB stay free")
	wantCode(t, "an image of the other kind", second, cluster.CodeUnavailable, "arm is arm64, and the image is for amd64")
	testkit.Must(t, again)
	wantCode(t, "a larger image", tooBig, cluster.CodeUnavailable, "intel has 4 GB of disk left: the image takes 4 GB")
	testkit.Must(t, built)
}

// What replaces an instance needs the same of a node as what a deploy starts.
func TestRoom_KnowsTheImagesOfWhatRuns(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.Deploy(r.App("shop"), cluster.ProcessType{Name: "web"})
	node := r.newNode("n1", cluster.RoleHeart)
	r.Instance(release, "web", node)

	room, err := r.room(t.Context())
	testkit.Must(t, err)
	standings, err := r.store.Standings(t.Context(), nil)
	testkit.Must(t, err)

	if got := standings[0].Release.Image; got != release.Image || release.Image.ID == "" {
		t.Errorf("got the image %+v to replace instances with, want %+v", got, release.Image)
	}
	if !room.has(node.ID, release.Image) {
		t.Errorf("the node of a running instance has not got its image")
	}
}
