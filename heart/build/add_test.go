package build_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"aorta/heart/internal/rig"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// A server that a build may ask does not send it on to the builder's machine.
func TestBuilder_FollowsNoAnswerToItsOwnMachine(t *testing.T) {
	var asked atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(inside.Close)
	outside := httptest.NewServer(http.RedirectHandler(inside.URL+"/metrics", http.StatusFound))
	t.Cleanup(outside.Close)
	b, s, r := setUp(t, nil)
	b.Fetch = []string{strings.TrimPrefix(outside.URL, "http://")}
	s.source = rig.Tar(t, map[string]string{"Dockerfile": "FROM scratch\nADD " + outside.URL + "/x /x\nCMD [\"x\"]\n"})

	_, err := b.Build(t.Context(), r)

	if err == nil || !strings.Contains(err.Error(), `/x" leads to 127.0.0.1`) || !jobs.IsPermanent(err) || asked.Load() != 0 {
		t.Errorf("got %v, what listens there was asked %d times; want it refused for good, unasked", err, asked.Load())
	}
}

// A file that ADD names by URL is in the image as docker build would have it.
func TestBuilder_AddsFilesByURL(t *testing.T) {
	text := "of " + cluster.NewID().Short()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }))
	t.Cleanup(server.Close)
	b, s, _ := setUp(t, nil)
	base := rig.Shell(t, b.Engine, s.spec.Cluster)
	b.Fetch = []string{"127.0.0.1"}
	build := func(flags string) (string, *rig.Job, error) {
		s.spec.ID, s.spec.State = cluster.NewID(), ""
		s.source = rig.Tar(t, map[string]string{"Dockerfile": "FROM " + base + " AS one\nADD " + server.URL + "/a/file.txt /ctx/\nFROM " + base + "\nADD " + flags + " " + server.URL + "/ /ctx/named\nCOPY --from=one /ctx/file.txt /ctx/\nCMD [\"x\"]\n"})
		r := &rig.Job{Arguments: cluster.BuildArgs{Build: s.spec.ID}}
		got, err := b.Build(t.Context(), r)
		return got.Image.Ref, r, err
	}

	image, r, err := build(fmt.Sprintf("--chmod=644 --checksum=sha256:%x", sha256.Sum256([]byte(text))))
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(r.Lines(), "\n"))
	}
	got := dockerRun(t, image, "/bin/sh", "-c", "cat /ctx/file.txt /ctx/named; stat -c ' %a %u' /ctx/file.txt /ctx/named")
	if want := text + text + " 600 0\n 644 0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, again, err := build(""); err != nil || !strings.Contains(strings.Join(again.Lines(), "\n"), "CACHED [one 2/2] ADD") {
		t.Errorf("the same file again: %v\n%s\nwant it cached", err, strings.Join(again.Lines(), "\n"))
	}
	if _, _, err := build("--checksum=sha256:" + strings.Repeat("0", 64)); err == nil || !strings.Contains(err.Error(), "and its ADD says sha256:0000") {
		t.Errorf("another checksum: got %v, want it refused", err)
	}
}
