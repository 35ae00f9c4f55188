package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// lab is a registry with a client.
type lab struct {
	*Registry
	t   *testing.T
	url string
}

func newLab(t *testing.T, dir string) *lab {
	t.Helper()
	l := &lab{t: t}
	r, err := Open(t.Context(), Config{Dir: dir, Secret: "secret", Log: slog.New(slog.DiscardHandler)})
	testkit.Must(t, err)
	server := httptest.NewServer(r)
	t.Cleanup(func() { server.Close(); _ = r.Close() })
	l.Registry, l.url = r, server.URL
	return l
}

// later makes all that the registry has old enough to be removed.
func (l *lab) later() {
	l.t.Helper()
	before := time.Now().Add(-2 * settleTime)
	testkit.Must(l.t, filepath.WalkDir(l.cfg.Dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, before, before))
	}))
}

func (l *lab) ask(method, path string, body []byte, kind string) *http.Response {
	l.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = l.url + path
	}
	req, err := http.NewRequest(method, path, bytes.NewReader(body))
	testkit.Must(l.t, err)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := http.DefaultClient.Do(req)
	testkit.Must(l.t, err)
	raw, err := io.ReadAll(resp.Body)
	testkit.Must(l.t, err)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(raw))
	return resp
}

func repo(app cluster.ID) string { return "/v2/" + string(app) }

// upload begins to send a blob, and gives where.
func (l *lab) upload(app cluster.ID) string {
	l.t.Helper()
	resp := l.ask("POST", repo(app)+"/blobs/uploads/", nil, "")
	if resp.StatusCode != http.StatusAccepted {
		l.t.Fatalf("begin an upload: %s", resp.Status)
	}
	at := resp.Header.Get("Location")
	if !strings.HasPrefix(at, "/v2/") {
		l.t.Fatalf("got the location %q, want one without an address", at)
	}
	return at
}

// blob sends one as engines do, unless it is there.
func (l *lab) blob(app cluster.ID, content []byte) blobRef {
	l.t.Helper()
	ref := blobRef{digestOf(content), int64(len(content))}
	if l.has(app, ref.Digest) {
		return ref
	}
	resp := l.ask("PATCH", l.upload(app), content, "application/octet-stream")
	if resp.StatusCode != http.StatusAccepted {
		l.t.Fatalf("send a blob: %s", resp.Status)
	}
	resp = l.ask("PUT", resp.Header.Get("Location")+"&digest="+ref.Digest, nil, "")
	if resp.StatusCode != http.StatusCreated {
		l.t.Fatalf("end a blob: %s", resp.Status)
	}
	return ref
}

func (l *lab) has(app cluster.ID, digest string) bool {
	return l.ask("HEAD", repo(app)+"/blobs/"+digest, nil, "").StatusCode == http.StatusOK
}

const schema2 = "application/vnd.docker.distribution.manifest.v2+json"

// put sends the manifest of an image of blobs that are there.
func (l *lab) put(app, build cluster.ID, config blobRef, layers ...blobRef) (digest string, status int) {
	l.t.Helper()
	text, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": schema2, "config": described(config, "application/vnd.docker.container.image.v1+json"),
		"layers": []any{described(layers[0], "application/vnd.docker.image.rootfs.diff.tar.gzip"), described(layers[len(layers)-1], "application/vnd.docker.image.rootfs.diff.tar.gzip")},
	})
	testkit.Must(l.t, err)
	return digestOf(text), l.ask("PUT", repo(app)+"/manifests/"+string(build), text, schema2).StatusCode
}

func described(b blobRef, kind string) map[string]any {
	return map[string]any{"mediaType": kind, "digest": b.Digest, "size": b.Size}
}

// push sends an image of these layers, and gives the digest of its manifest.
func (l *lab) push(app, build cluster.ID, layers ...string) string {
	l.t.Helper()
	config := l.blob(app, fmt.Appendf(nil, `{"build":"%s"}`, build))
	var refs []blobRef
	for _, layer := range layers {
		refs = append(refs, l.blob(app, []byte(layer)))
	}
	digest, status := l.put(app, build, config, refs...)
	if status != http.StatusCreated {
		l.t.Fatalf("put the manifest of %s: %d", build, status)
	}
	return digest
}

func (l *lab) pulls(app cluster.ID, reference string) bool {
	l.t.Helper()
	req, err := http.NewRequest("GET", l.url+repo(app)+"/manifests/"+reference, nil)
	testkit.Must(l.t, err)
	req.Header.Set("Accept", schema2)
	resp, err := http.DefaultClient.Do(req)
	testkit.Must(l.t, err)
	defer func() { _ = resp.Body.Close() }()
	var m manifest
	if resp.StatusCode != http.StatusOK || json.NewDecoder(resp.Body).Decode(&m) != nil {
		return false
	}
	for _, layer := range m.Layers {
		if l.ask("GET", repo(app)+"/blobs/"+layer.Digest, nil, "").StatusCode != http.StatusOK {
			return false
		}
	}
	return true
}

func (l *lab) listed() []cluster.RegistryImage {
	l.t.Helper()
	list, err := l.Images()
	testkit.Must(l.t, err)
	return list
}

func (l *lab) sweep(unneeded ...cluster.RegistryImage) int64 {
	l.t.Helper()
	freed, err := l.Sweep(l.t.Context(), unneeded)
	testkit.Must(l.t, err)
	return freed
}

func TestRegistry_KeepsWhatIsPushedOverARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := newLab(t, dir)
	app, build := cluster.NewID(), cluster.NewID()
	digest := l.push(app, build, "base", "code")
	begun := l.upload(app)
	first := l.ask("PATCH", begun, []byte("half"), "application/octet-stream")

	l = newLab(t, dir)

	if list := l.listed(); len(list) != 1 || list[0].App != app || list[0].Build != build || list[0].Digest != digest || list[0].Size < 8 {
		t.Errorf("got %+v, want the image with its digest %s", list, digest)
	}
	if !l.pulls(app, digest) || l.pulls(cluster.NewID(), digest) {
		t.Error("want the image in its own repository, and in no other")
	}
	second := l.ask("PATCH", first.Header.Get("Location"), []byte(" done"), "application/octet-stream")
	whole := digestOf([]byte("half done"))
	if resp := l.ask("PUT", second.Header.Get("Location")+"&digest="+whole, nil, ""); resp.StatusCode != http.StatusCreated {
		t.Errorf("an upload that went on after a restart: got %s, want it taken", resp.Status)
	}
}

func TestRegistry_CountsWhatMovesForEachNode(t *testing.T) {
	t.Parallel()
	l := newLab(t, t.TempDir())
	server := httptest.NewServer(l.For("n1"))
	t.Cleanup(server.Close)
	l.For("n2")
	l.url = server.URL
	app, content := cluster.NewID(), bytes.Repeat([]byte("x"), 1<<20)

	ref := l.blob(app, content)
	sent := l.Moved()["n1"]
	l.has(app, ref.Digest)
	l.ask("GET", repo(app)+"/blobs/"+ref.Digest, nil, "")

	if sent.Received != ref.Size || sent.Sent > 1000 {
		t.Errorf("after a push of %d bytes: got %+v", ref.Size, sent)
	}
	if all := l.Moved(); all["n1"].Received != ref.Size || all["n1"].Sent < ref.Size || all["n1"].Sent > ref.Size+1000 || all["n2"] != (Moved{}) || len(all) != 2 {
		t.Errorf("after a push and a pull of %d bytes by n1: got %+v", ref.Size, all)
	}
}

func TestRegistry_TakesNoBlobOfAnotherDigest(t *testing.T) {
	t.Parallel()
	l := newLab(t, t.TempDir())
	app := cluster.NewID()
	sent := l.ask("PATCH", l.upload(app), []byte("something"), "application/octet-stream")

	resp := l.ask("PUT", sent.Header.Get("Location")+"&digest="+digestOf([]byte("else")), nil, "")

	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("got %s, want it refused", resp.Status)
	}
	if _, status := l.put(app, cluster.NewID(), blobRef{digestOf([]byte("x")), 1}, blobRef{digestOf([]byte("y")), 1}); status != http.StatusBadRequest {
		t.Errorf("a manifest of blobs that are not there: got %d, want it refused", status)
	}
}

func TestSweep_RemovesWhatNothingNeedsAndNothingElse(t *testing.T) {
	t.Parallel()
	l := newLab(t, t.TempDir())
	shop, blog := cluster.NewID(), cluster.NewID()
	builds := []cluster.ID{cluster.NewID(), cluster.NewID(), cluster.NewID()}
	old := l.push(shop, builds[0], "base", "old code")
	kept := l.push(shop, builds[1], "base", "new code")
	other := l.push(blog, builds[2], "base", "a blog")
	var unneeded cluster.RegistryImage
	for _, img := range l.listed() {
		if img.Build == builds[0] {
			unneeded = img
		}
	}

	early := l.sweep(unneeded)
	pulledEarly := l.pulls(shop, old)
	l.later()
	before, err := l.Used()
	testkit.Must(t, err)
	freed := l.sweep()
	after, err := l.Used()
	testkit.Must(t, err)

	if early != 0 || freed == 0 || before-freed != after {
		t.Errorf("freed %d at once and %d of %d later, %d are left; want nothing at once, and all that is gone counted", early, freed, before, after)
	}
	if pulledEarly != true || l.pulls(shop, old) {
		t.Error("want the image that is not needed to be gone once a while has passed")
	}
	if !l.pulls(shop, kept) || !l.pulls(blog, other) || len(l.listed()) != 2 {
		t.Errorf("got %+v, want both others whole", l.listed())
	}
	if l.has(shop, digestOf([]byte("old code"))) {
		t.Error("want a layer that nothing needs to be gone")
	}
}

func TestSweep_LeavesWhatWasPushedAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t, t.TempDir())
	app, build := cluster.NewID(), cluster.NewID()
	l.push(app, build, "base", "code")
	judged := l.listed()[0]
	digest := l.push(app, build, "base", "code")

	l.sweep(judged)
	l.later()
	l.sweep(judged)

	if !l.pulls(app, digest) {
		t.Error("want the image, which was pushed again since it was judged")
	}
}

// A push that was told that a layer is there does not send it. It stays until the
// push has had its time, also when what it was there for goes.
func TestSweep_LeavesWhatAPushWasToldIsThere(t *testing.T) {
	t.Parallel()
	l := newLab(t, t.TempDir())
	app, old, next := cluster.NewID(), cluster.NewID(), cluster.NewID()
	l.push(app, old, "base", "old code")
	unneeded := l.listed()[0]
	l.later()
	unneeded.PushedAt = l.listed()[0].PushedAt
	base := l.blob(app, []byte("base")) // asks, and sends nothing
	config := l.blob(app, []byte(`{"next":1}`))

	l.sweep(unneeded)
	digest, status := l.put(app, next, config, base)

	if status != http.StatusCreated || !l.pulls(app, digest) {
		t.Errorf("got %d for an image of a layer that was there, want it taken whole", status)
	}
	if l.has(app, digestOf([]byte("old code"))) {
		t.Error("want what nobody asked for to be gone")
	}
}

func TestSweep_RemovesWhatWasNeverEnded(t *testing.T) {
	t.Parallel()
	l := newLab(t, t.TempDir())
	app := cluster.NewID()
	at := l.upload(app)
	l.ask("PATCH", at, []byte("half"), "application/octet-stream")

	l.sweep()
	during, err := within(l.uploads(app))
	testkit.Must(t, err)
	l.later()
	l.sweep()
	after, err := within(l.uploads(app))
	testkit.Must(t, err)

	if len(during) != 1 || len(after) != 0 {
		t.Errorf("got the uploads %v and then %v, want it to stay for a while and to go", during, after)
	}
}

func TestForget_RemovesTheRepository(t *testing.T) {
	t.Parallel()
	l := newLab(t, t.TempDir())
	shop, blog := cluster.NewID(), cluster.NewID()
	gone, stays := l.push(shop, cluster.NewID(), "base", "shop"), l.push(blog, cluster.NewID(), "base", "blog")

	testkit.Must(t, l.Forget(t.Context(), shop))

	kept, err := l.Kept()
	if err != nil || len(kept) != 1 || kept[0] != blog {
		t.Errorf("got %v, %v, want the blog's alone", kept, err)
	}
	l.later()
	l.sweep()
	if l.pulls(shop, gone) || !l.pulls(blog, stays) {
		t.Error("want the images of the shop gone, and those of the blog whole")
	}
}

// Pushes beside sweeps lose nothing: each image that was taken is whole at the end.
func TestSweep_BesidePushes(t *testing.T) {
	t.Parallel()
	l := newLab(t, t.TempDir())
	app := cluster.NewID()
	ended := make(chan map[cluster.ID]string)
	go func() {
		digests := map[cluster.ID]string{}
		for i := range 50 {
			build := cluster.NewID()
			digests[build] = l.push(app, build, "base", fmt.Sprint("code ", i%5))
		}
		ended <- digests
	}()

	var digests map[cluster.ID]string
	for digests == nil {
		list := l.listed()
		l.sweep(list[:len(list)/4]...)
		select {
		case digests = <-ended:
		default:
		}
	}

	list := l.listed()
	if len(list) == 0 {
		t.Fatal("got no image, want those that were not removed")
	}
	for _, img := range list {
		if digests[img.Build] != img.Digest || !l.pulls(app, img.Digest) {
			t.Errorf("got %+v, want it whole, with the digest %s", img, digests[img.Build])
		}
	}
}

func TestRegistry_NamesAFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Fatal("this test mounts a file system: run it as root")
	}
	dir := testkit.ShortDir(t)
	testkit.Must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"))
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	l := newLab(t, dir)
	app := cluster.NewID()
	l.push(app, cluster.NewID(), "base", "code")

	cut := l.ask("PATCH", l.upload(app), bytes.Repeat([]byte("x"), 40<<20), "application/octet-stream")
	begun := l.ask("POST", repo(app)+"/blobs/uploads/", nil, "")

	for when, resp := range map[string]*http.Response{"in the middle": cut, "at the beginning": begun} {
		text, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusInsufficientStorage || !strings.Contains(string(text), "the disk is full at "+dir) {
			t.Errorf("%s: got %s: %s, want the disk named", when, resp.Status, text)
		}
	}
}

func TestRegistry_NamesADiskThatTakesNoWrites(t *testing.T) {
	t.Parallel()
	dir := testkit.ShortDir(t)
	testkit.MountExt4(t, dir, 16).Break(t)
	answer := httptest.NewRecorder()
	body := &watched{dir: dir}

	(&verdict{ResponseWriter: answer, why: body.room}).WriteHeader(http.StatusInternalServerError)

	if answer.Code != http.StatusInsufficientStorage || !strings.Contains(answer.Body.String(), "the disk at "+dir+" is read-only") {
		t.Errorf("got %d %s, want the disk", answer.Code, answer.Body)
	}
}
