package rig

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aorta/heart/docker"
	"aorta/heart/docker/dockerfile"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// The programs that run in containers, compiled once per test process.
var (
	testapp = sync.OnceValues(func() ([]byte, error) { return compile("testapp") })
	probe   = sync.OnceValues(func() ([]byte, error) { return compile("probe") })
)

func compile(name string) ([]byte, error) {
	dir, err := os.MkdirTemp("", name)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, name)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "aorta/heart/internal/rig/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}

// Binary is the compiled test app, static.
func Binary(tb testing.TB) []byte { return must(tb, testapp) }

// Probe is the compiled probe, static.
func Probe(tb testing.TB) []byte { return must(tb, probe) }

func must(tb testing.TB, program func() ([]byte, error)) []byte {
	tb.Helper()
	b, err := program()
	if err != nil {
		tb.Fatalf("compile a program of the tests: %v", err)
	}
	return b
}

// Shell builds an image of the cluster with a shell and the usual commands, for
// Dockerfiles whose steps run some, and returns its name.
func Shell(tb testing.TB, e *docker.Engine, id cluster.ID) string {
	tb.Helper()
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		tb.Fatalf("this test needs a static busybox (apt-get install busybox-static): %v", err)
	}
	return ImageOf(tb, e, id, busybox, "COPY app /bin/busybox", `RUN ["/bin/busybox", "--install", "-s", "/bin"]`).Ref
}

// LoseImages removes all images of the cluster, of which there must be some.
func LoseImages(tb testing.TB, e *docker.Engine) {
	tb.Helper()
	list, err := e.Inventory(tb.Context())
	if err != nil || len(list) == 0 {
		tb.Fatalf("got images %+v, %v, want some to lose", list, err)
	}
	for _, img := range list {
		if _, err := e.Discard(tb.Context(), img, img.Names); err != nil {
			tb.Fatal(err)
		}
	}
}

// Image builds the test app into an image of the cluster, from nothing.
func Image(tb testing.TB, e *docker.Engine, id cluster.ID) cluster.Image {
	tb.Helper()
	return ImageOf(tb, e, id, Binary(tb), "COPY app /testapp", `CMD ["/testapp"]`)
}

// ImageOf builds an image of the cluster from nothing but a program, which the
// Dockerfile's lines find as app.
func ImageOf(tb testing.TB, e *docker.Engine, id cluster.ID, program []byte, lines ...string) cluster.Image {
	tb.Helper()
	build := string(cluster.NewID())
	tag := docker.BuiltPrefix + "rig:" + build
	// By BuildKit, since the classic builder fails when any image of the engine is
	// removed while it looks for what it has built before. The label comes first,
	// so that tests that run side by side share no layer.
	label := "LABEL " + cluster.LabelCluster + "=" + string(id) + " " + cluster.LabelBuild + "=" + build
	err := e.BuildKit(tb.Context(), dockerfile.Recipe{
		Dockerfile: "Dockerfile", Text: []byte("FROM scratch\n" + label + "\n" + strings.Join(lines, "\n") + "\n"),
		Files:   []dockerfile.File{{Path: "app", Mode: 0o755, ModTime: time.Unix(1, 0), Size: int64(len(program))}},
		Content: bytes.NewReader(program), Tag: tag, Memory: 512 << 20, CPUs: 2, Line: func(string) {},
	})
	if err != nil {
		tb.Fatalf("build an image of the tests: %v", err)
	}
	img, err := e.Image(tb.Context(), tag)
	if err != nil {
		tb.Fatalf("find an image of the tests: %v", err)
	}
	return cluster.Image{Ref: tag, ID: img.ID}
}

// Unname removes names that a test gave to images, and those that have no other.
func Unname(tb testing.TB, names ...string) {
	tb.Helper()
	args := append([]string{"-H", testkit.DockerHost(), "rmi"}, names...)
	if out, err := exec.Command("docker", args...).CombinedOutput(); err != nil {
		tb.Errorf("remove the names %v: %v: %s", names, err, out)
	}
}
