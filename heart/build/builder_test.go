package build_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"aorta/heart/build"
	"aorta/heart/docker"
	"aorta/heart/internal/rig"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// site is a fake pacemaker with one build.
type site struct {
	spec   cluster.BuildSpec
	source []byte
	broken error
	done   []cluster.BuildResult
}

func (s *site) BuildSpec(context.Context, cluster.ID) (cluster.BuildSpec, error) { return s.spec, nil }

func (s *site) BuildSource(context.Context, cluster.ID) (io.ReadCloser, error) {
	var in io.Reader = bytes.NewReader(s.source)
	if s.broken != nil {
		in = io.MultiReader(in, readerFunc(func([]byte) (int, error) { return 0, s.broken }))
	}
	return io.NopCloser(in), nil
}

func (s *site) BuildDone(_ context.Context, _ cluster.ID, r cluster.BuildResult) error {
	s.done = append(s.done, r)
	s.spec.State, s.spec.Image = r.State, r.Image
	return nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type run struct {
	build cluster.ID
	// mu guards the rest.
	mu       sync.Mutex
	lines    []string
	progress []string
	onLine   func(string)
}

func (r *run) Args(into any) error {
	data, err := json.Marshal(cluster.BuildArgs{Build: r.build})
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func (r *run) Log(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
	if r.onLine != nil {
		r.onLine(line)
	}
}

func (r *run) Progress(_, _ int, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress = append(r.progress, text)
}

func setUp(t *testing.T, files map[string]string) (*build.Builder, *site, *run) {
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
	return &build.Builder{Engine: e, Source: s, Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(noWarning{t}, nil))}, s, &run{build: s.spec.ID}
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

	got, err := b.Build(t.Context(), r)
	if err != nil {
		t.Fatalf("build: %v\n%s", err, strings.Join(r.lines, "\n"))
	}

	result := got.(cluster.BuildResult)
	img, err := b.Engine.Image(t.Context(), result.Image.Ref)
	if err != nil || img.ID != result.Image.ID || result.Image.Ref != "aorta/shop:"+string(s.spec.ID) || result.Image.Size == 0 {
		t.Errorf("got image %+v, engine has %+v, %v", result.Image, img, err)
	}
	if len(result.Processes) != 1 || result.Processes[0].Name != "web" || result.Processes[0].Limits.Memory != 64<<20 || len(result.Domains) != 1 {
		t.Errorf("got processes %+v, domains %v; want web with 64 MiB, one domain", result.Processes, result.Domains)
	}
	if all := strings.Join(r.lines, "\n"); !strings.Contains(all, " : COPY testapp /testapp") || len(r.progress) < 4 {
		t.Errorf("got progress %q and the log\n%s", r.progress, all)
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

	if err != nil || got.(cluster.BuildResult).Image.ID != image.ID || got.(cluster.BuildResult).Processes[0].Name != "web" {
		t.Errorf("got %+v, %v; want image %s with web", got, err, image.ID)
	}
}

func TestBuilder_SaysThatAnImageIsNowhere(t *testing.T) {
	b, s, r := setUp(t, nil)
	s.spec.Kind, s.spec.Source = cluster.SourceImage, "127.0.0.1:1/none:1"

	_, err := b.Build(t.Context(), r)

	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1/none:1 is not on this node and can't be pulled") || len(s.done) != 1 {
		t.Errorf("got %v, want the image named", err)
	}
}

func TestBuilder_AnAbortEndsTheBuild(t *testing.T) {
	b, s, r := setUp(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY testapp /testapp\nENV MODE=silent\nRUN [\"/testapp\"]\n", "testapp": string(rig.Binary(t))})
	ctx, cancel := context.WithCancelCause(t.Context())
	r.onLine = func(line string) {
		if strings.Contains(line, "testapp begins") {
			cancel(jobs.ErrAborted)
		}
	}

	_, err := b.Build(ctx, r)

	if !errors.Is(err, jobs.ErrAborted) || len(s.done) != 0 {
		t.Errorf("got %v, recorded %v; want aborted, nothing recorded", err, s.done)
	}
	if _, err := b.Engine.Image(t.Context(), "aorta/shop:"+string(s.spec.ID)); !errors.Is(err, docker.ErrNoImage) {
		t.Errorf("its image: got %v, want none", err)
	}
}
