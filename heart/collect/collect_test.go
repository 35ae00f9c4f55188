package collect_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"aorta/heart/collect"
	"aorta/heart/docker"
	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pacemaker wants the images removed whose ids it has.
type pacemaker struct {
	// mu guards the rest.
	mu      sync.Mutex
	collect []string
	last    []cluster.EngineImage
}

func (p *pacemaker) Images(_ context.Context, list []cluster.EngineImage) ([]cluster.ImageFate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = list
	var fates []cluster.ImageFate
	for _, img := range list {
		fates = append(fates, cluster.ImageFate{EngineImage: img, Collect: slices.Contains(p.collect, img.ID), Because: "the test says so"})
	}
	return fates, nil
}

// reported names the images of the last report.
func (p *pacemaker) reported() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ids []string
	for _, img := range p.last {
		ids = append(ids, img.ID)
	}
	slices.Sort(ids)
	return ids
}

func setUp(t *testing.T) (*collect.Collector, *pacemaker, cluster.ID) {
	t.Helper()
	t.Parallel()
	e, id := rig.Engine(t)
	p := &pacemaker{}
	return &collect.Collector{Engine: e, Pace: p, Log: slog.New(slog.DiscardHandler)}, p, id
}

func gone(tb testing.TB, e *docker.Engine, id string) bool {
	tb.Helper()
	_, err := e.Image(tb.Context(), id)
	if err != nil && !errors.Is(err, docker.ErrNoImage) {
		tb.Fatal(err)
	}
	return err != nil
}

// What the pacemaker has no use for goes, unless a container was made from it.
// Nothing of another cluster is seen.
func TestCollector_RemovesWhatHasNoUse(t *testing.T) {
	c, p, id := setUp(t)
	other, otherID := rig.Engine(t)
	app := rig.Binary(t)
	old := rig.ImageOf(t, c.Engine, id, app, "COPY app /old", `CMD ["/old"]`)
	kept := rig.ImageOf(t, c.Engine, id, app, "COPY app /kept", `CMD ["/kept"]`)
	used := rig.ImageOf(t, c.Engine, id, app, "COPY app /used", `CMD ["/used"]`)
	stranger := rig.ImageOf(t, other, otherID, app, "COPY app /stranger", `CMD ["/stranger"]`)
	if _, err := c.Engine.EnsureNetwork(t.Context()); err != nil {
		t.Fatal(err)
	}
	bridge, err := c.Engine.EnsureNetwork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	spec := cluster.InstanceSpec{ID: cluster.NewID(), App: "shop", Type: "web", Image: used, Port: rig.FreePort(t)}
	if _, err := c.Engine.Create(t.Context(), docker.Launch{Spec: spec, Address: bridge.Gateway}); err != nil {
		t.Fatal(err)
	}
	p.collect = []string{old.ID, used.ID, stranger.ID}
	job := &rig.Job{Arguments: cluster.PruneArgs{}}

	got, err := c.Prune(t.Context(), job)

	if err != nil || got.Removed != 1 || got.Freed == 0 {
		t.Errorf("got %+v, %v, want one removed, and its size", got, err)
	}
	if !gone(t, c.Engine, old.ID) || gone(t, c.Engine, kept.ID) || gone(t, c.Engine, used.ID) || gone(t, c.Engine, stranger.ID) {
		t.Error("want the old image gone alone")
	}
	if log := strings.Join(job.Lines(), "\n"); !strings.Contains(log, "the test says so") || !strings.Contains(log, "removed 1 of ") {
		t.Errorf("got the log\n%s\nwant what was removed, and why", log)
	}
}

// A builder that was killed while it sent an image has left a name of it. What anybody
// else has named stays.
func TestCollector_RemovesWhatAKilledPushHasNamed(t *testing.T) {
	c, p, id := setUp(t)
	c.Transfers = "127.0.0.1:7/"
	app := rig.Binary(t)
	left := rig.ImageOf(t, c.Engine, id, app, "COPY app /left", `CMD ["/left"]`)
	named := rig.ImageOf(t, c.Engine, id, app, "COPY app /named", `CMD ["/named"]`)
	testkit.Must(t, c.Engine.Tag(t.Context(), left.ID, c.Transfers+"app:build"))
	testkit.Must(t, c.Engine.Tag(t.Context(), named.ID, "127.0.0.1:77/app:"+string(id)))
	t.Cleanup(func() { _ = c.Engine.Untag(context.Background(), "127.0.0.1:77/app:"+string(id)) })
	p.collect = []string{left.ID, named.ID}

	_, err := c.Prune(t.Context(), &rig.Job{Arguments: cluster.PruneArgs{}})

	if err != nil || !gone(t, c.Engine, left.ID) || gone(t, c.Engine, named.ID) {
		t.Errorf("got %v, want the one gone that a push has named, and the other there", err)
	}
}

func TestCollector_ReportsWhatChanges(t *testing.T) {
	c, p, id := setUp(t)
	first := rig.Image(t, c.Engine, id)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }() // ends with cancel
	testkit.Eventually(t, "the image to be reported", func() bool { return slices.Equal(p.reported(), []string{first.ID}) })

	rig.LoseImages(t, c.Engine)

	testkit.Eventually(t, "its end to be reported", func() bool { return len(p.reported()) == 0 })
	cancel()
	_ = testkit.Receive(t, "the collector to end", ended)
}
