package build_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"aorta/heart/build"
	"aorta/heart/docker"
	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// site is a fake pacemaker with one build.
type site struct {
	mu     sync.Mutex // guards spec and done while builds run
	spec   cluster.BuildSpec
	source []byte
	broken error
	done   []cluster.BuildResult
}

func (s *site) BuildSpec(context.Context, cluster.ID) (cluster.BuildSpec, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spec, nil
}

func (s *site) BuildSource(context.Context, cluster.ID) (io.ReadCloser, error) {
	var in io.Reader = bytes.NewReader(s.source)
	if s.broken != nil {
		in = io.MultiReader(in, readerFunc(func([]byte) (int, error) { return 0, s.broken }))
	}
	return io.NopCloser(in), nil
}

func (s *site) BuildDone(_ context.Context, _ cluster.ID, r cluster.BuildResult) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, r)
	s.spec.State, s.spec.Image = r.State, r.Image
	return nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func setUp(t *testing.T, files map[string]string) (*build.Builder, *site, *rig.Job) {
	t.Helper()
	t.Parallel()
	e, id := rig.Engine(t)
	s := &site{spec: cluster.BuildSpec{ID: cluster.NewID(), AppID: cluster.NewID(), App: "shop", Kind: cluster.SourceArchive, Cluster: id}}
	if files != nil {
		// Layers of failed builds carry the label too, so that they are swept.
		files["Dockerfile"] = strings.Replace(files["Dockerfile"], "FROM scratch\n", "FROM scratch\nLABEL "+cluster.LabelCluster+"="+string(id)+"\n", 1)
		if files["Dockerfile"] == "" {
			delete(files, "Dockerfile")
		}
		s.source = rig.Tar(t, files)
	}
	return &build.Builder{Engine: e, Source: s, Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(noWarning{t}, nil)), Child: []string{"build"}}, s, &rig.Job{Arguments: cluster.BuildArgs{Build: s.spec.ID}}
}

// noWarning fails the test with whatever is logged: no build here has a reason
// to warn the operator.
type noWarning struct{ tb testing.TB }

func (w noWarning) Write(line []byte) (int, error) {
	w.tb.Errorf("got the log line %s, want none", line)
	return len(line), nil
}

const dockerfile = "FROM scratch\nCOPY testapp /testapp\nCMD [\"/testapp\"]\n"

func TestBuilder_TurnsSourceIntoAnImage(t *testing.T) {
	b, s, r := setUp(t, map[string]string{"Dockerfile": dockerfile, "testapp": string(rig.Binary(t)), "aorta.yml": "processes: {web: {memory: 64m}}\ndomains: [shop.example.com]"})

	result, err := b.Build(t.Context(), r)
	if err != nil {
		t.Fatalf("build: %v\n%s", err, strings.Join(r.Lines(), "\n"))
	}

	img, err := b.Engine.Image(t.Context(), result.Image.Ref)
	if err != nil || img.ID != result.Image.ID || result.Image.Ref != "aorta/shop:"+string(s.spec.ID) || result.Image.Size == 0 || result.Image.Arch != runtime.GOARCH {
		t.Errorf("got image %+v, engine has %+v, %v", result.Image, img, err)
	}
	if len(result.Processes) != 1 || result.Processes[0].Name != "web" || result.Processes[0].Limits.Memory != 64<<20 || len(result.Domains) != 1 {
		t.Errorf("got processes %+v, domains %v; want web with 64 MiB, one domain", result.Processes, result.Domains)
	}
	if all := strings.Join(r.Lines(), "\n"); !strings.Contains(all, "[1/1] COPY testapp /testapp") || !slices.Contains(r.Steps(), "COPY testapp /testapp") {
		t.Errorf("got progress %q and the log\n%s", r.Steps(), all)
	}
	if _, err := b.Build(t.Context(), r); err != nil || len(s.done) != 1 {
		t.Errorf("build again: %v, recorded %d times; want once", err, len(s.done))
	}
	if left, err := os.ReadDir(b.Dir); err != nil || len(left) != 0 {
		t.Errorf("spools left: %v, %v", left, err)
	}
}

func TestBuilder_SaysWhyABuildFailed(t *testing.T) {
	app := string(rig.Binary(t))
	cases := map[string]struct {
		files map[string]string
		want  string
	}{
		"step":     {map[string]string{"Dockerfile": "FROM scratch\nCOPY testapp /testapp\nENV MODE=exit:3\nRUN [\"/testapp\"]\n", "testapp": app}, "non-zero code: 3"},
		"copy":     {map[string]string{"Dockerfile": "FROM scratch\nCOPY none /x\n"}, `failed at "COPY none /x"`},
		"file":     {map[string]string{"main.go": "package main"}, "no Dockerfile in the root of the source"},
		"procfile": {map[string]string{"Dockerfile": dockerfile, "testapp": app, "Procfile": "web"}, "Procfile:1"},
		"nothing":  {map[string]string{"Dockerfile": "FROM scratch\nCOPY testapp /testapp\n", "testapp": app}, "add CMD to the Dockerfile"},
		"link":     {map[string]string{"../out": "x"}, `entry "../out" leads out`},
		"syntax":   {map[string]string{"Dockerfile": "FORM scratch\n"}, "FORM"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b, s, r := setUp(t, c.files)

			_, err := b.Build(t.Context(), r)

			if err == nil || !strings.Contains(err.Error(), c.want) || !jobs.IsPermanent(err) {
				t.Errorf("got %v, want a permanent error with %q", err, c.want)
			}
			if len(s.done) != 1 || s.done[0].State != cluster.BuildFailed || !strings.Contains(s.done[0].Error, c.want) {
				t.Errorf("recorded %+v, want failed with %q", s.done, c.want)
			}
		})
	}
}

func TestBuilder_ABrokenStreamIsTriedAgain(t *testing.T) {
	b, s, r := setUp(t, map[string]string{"Dockerfile": dockerfile})
	s.source, s.broken = s.source[:700], errors.New("connection reset")

	_, err := b.Build(t.Context(), r)

	if cluster.CodeOf(err) != cluster.CodeUnavailable || jobs.IsPermanent(err) || len(s.done) != 0 {
		t.Errorf("got %v, recorded %v; want unavailable and nothing recorded", err, s.done)
	}
}

func TestBuilder_TakesAnImageThatIsThere(t *testing.T) {
	b, s, r := setUp(t, nil)
	image := rig.Image(t, b.Engine, s.spec.Cluster)
	s.spec.Kind, s.spec.Source = cluster.SourceImage, image.Ref

	got, err := b.Build(t.Context(), r)

	if err != nil || got.Image.ID != image.ID || got.Processes[0].Name != "web" {
		t.Errorf("got %+v, %v; want image %s with web", got, err, image.ID)
	}
}

func TestBuilder_SaysThatAnImageIsNowhere(t *testing.T) {
	b, s, r := setUp(t, nil)
	s.spec.Kind, s.spec.Source = cluster.SourceImage, "127.0.0.1:1/none:1"
	b.Fetch = []string{"127.0.0.1:1"}

	_, err := b.Build(t.Context(), r)

	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1/none:1 is not on this node and can't be pulled (check its name") || len(s.done) != 1 {
		t.Errorf("got %v, want the image named", err)
	}
}

func TestBuilder_PullsNoImageFromItsOwnMachine(t *testing.T) {
	b, s, r := setUp(t, nil)
	s.spec.Kind, s.spec.Source = cluster.SourceImage, rig.Registry(t, "shop", string(s.spec.ID))

	_, err := b.Build(t.Context(), r)

	if err == nil || !strings.Contains(err.Error(), "which is the builder's own machine or link; name it by a registry elsewhere") || !jobs.IsPermanent(err) {
		t.Errorf("got %v, want it refused for good", err)
	}
}

func TestBuilder_AnAbortEndsTheBuild(t *testing.T) {
	unique := string(cluster.NewID())
	b, s, r := setUp(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY testapp /testapp\nENV MODE=silent\nRUN [\"/testapp\", \"" + unique + "\"]\n", "testapp": string(rig.Binary(t))})
	ctx, cancel := context.WithCancelCause(t.Context())
	var running bool
	r.OnLog = func(line string) {
		if strings.Contains(line, "testapp begins") {
			running = stepRuns(t, unique)
			cancel(jobs.ErrAborted)
		}
	}

	_, err := b.Build(ctx, r)

	if !errors.Is(err, jobs.ErrAborted) || len(s.done) != 0 || !running {
		t.Errorf("got %v, recorded %v, its step seen: %v; want aborted, nothing recorded", err, s.done, running)
	}
	if _, err := b.Engine.Image(t.Context(), "aorta/shop:"+string(s.spec.ID)); !errors.Is(err, docker.ErrNoImage) {
		t.Errorf("its image: got %v, want none", err)
	}
	testkit.Eventually(t, "the step to end on the engine", func() bool { return !stepRuns(t, unique) })
}

// stepRuns tells whether a process with this argument is there.
func stepRuns(t *testing.T, arg string) bool {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range lines {
		line, err := os.ReadFile(file) // a process may have ended meanwhile
		if err == nil && strings.HasPrefix(string(line), "/testapp\x00"+arg) {
			return true
		}
	}
	return false
}

// What a Dockerfile takes from the builder's machine or from another app is
// refused before the engine is asked, by either builder.
func TestBuilder_RefusesWhatIsNotForTheApp(t *testing.T) {
	for name, c := range map[string]struct{ dockerfile, want string }{
		"file":        {"FROM scratch\nADD http://127.0.0.1:1/x /x\nCMD [\"x\"]\n", `"http://127.0.0.1:1/x" leads to 127.0.0.1`},
		"name":        {"FROM scratch\nARG H=localhost\nADD http://$H:1/x /x\nCMD [\"x\"]\n", `"http://localhost:1/x" leads to `},
		"too long":    {"FROM scratch\n" + strings.Repeat("LABEL a=b\n", 1000), "Dockerfile: has 1001 instructions; at most 1000 are built"},
		"registry":    {"FROM 127.0.0.1:1/x\nCMD [\"x\"]\n", `would be asked for at 127.0.0.1:1, which is the builder's own machine`},
		"base image":  {"FROM BLOG\nCMD [\"x\"]\n", "was built from the source of another app"},
		"copied from": {"FROM scratch\nCOPY --from=BLOG /testapp /x\nCMD [\"x\"]\n", "was built from the source of another app"},
	} {
		for _, classic := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, classic %t", name, classic), func(t *testing.T) {
				b, s, r := setUp(t, map[string]string{"Dockerfile": dockerfile, "testapp": string(rig.Binary(t))})
				blog, err := b.Build(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				s.spec.ID, s.spec.AppID, s.spec.State, s.done = cluster.NewID(), cluster.NewID(), "", nil
				s.source = rig.Tar(t, map[string]string{"Dockerfile": strings.ReplaceAll(c.dockerfile, "BLOG", blog.Image.Ref)})
				b.Classic = classic

				_, err = b.Build(t.Context(), &rig.Job{Arguments: cluster.BuildArgs{Build: s.spec.ID}})

				if err == nil || !strings.Contains(err.Error(), c.want) || !jobs.IsPermanent(err) {
					t.Errorf("got %v, want a permanent error with %q", err, c.want)
				}
			})
		}
	}
}

// What the text of a Dockerfile doesn't show, the steps do.
func TestBuilder_RefusesARepositoryOnItsOwnMachine(t *testing.T) {
	b, s, r := setUp(t, nil)
	base := rig.ImageOf(t, b.Engine, s.spec.Cluster, rig.Binary(t), "COPY app /testapp", "ENV H=127.0.0.1").Ref
	s.source = rig.Tar(t, map[string]string{"Dockerfile": "FROM " + base + "\nADD https://$H/shop.git#main /x\n"})

	_, err := b.Build(t.Context(), r)

	if err == nil || !strings.Contains(err.Error(), "leads to 127.0.0.1") || !jobs.IsPermanent(err) {
		t.Errorf("got %v, want it refused for good", err)
	}
}

func TestBuilder_DeploysNoImageOfAnotherApp(t *testing.T) {
	b, s, r := setUp(t, map[string]string{"Dockerfile": dockerfile, "testapp": string(rig.Binary(t))})
	blog, err := b.Build(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	s.spec = cluster.BuildSpec{ID: cluster.NewID(), AppID: cluster.NewID(), App: "spy", Kind: cluster.SourceImage, Source: blog.Image.Ref, Cluster: s.spec.Cluster}

	_, err = b.Build(t.Context(), &rig.Job{Arguments: cluster.BuildArgs{Build: s.spec.ID}})

	if err == nil || !strings.Contains(err.Error(), "was built from the source of another app") || !jobs.IsPermanent(err) {
		t.Errorf("got %v, want it refused for good", err)
	}
}
