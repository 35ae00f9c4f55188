package heart_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"aorta/heart"
	"aorta/heart/docker"
	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// pacemaker is a fake that a test scripts. It checks each report's digest
// against the statuses reported so far.
type pacemaker struct {
	t testing.TB
	// mu guards the rest.
	mu      sync.Mutex
	away    bool
	refuse  error
	specs   map[cluster.ID]cluster.InstanceSpec
	known   map[cluster.ID]cluster.InstanceStatus
	seen    map[cluster.ID][]string // each different state, in order
	crashes []string                // what was reported of an instance that has ended by itself
	causes  []string                // of all that was reported as crashing
	answer  cluster.ReportAnswer
	last    cluster.Report
	reports int
	asked   map[cluster.ID]int // for a spec
	lines   []cluster.LogText
	shipped map[cluster.ID]string
	spare   []int // ports for OtherPort
}

func newPacemaker(t testing.TB) *pacemaker {
	return &pacemaker{
		t: t, specs: map[cluster.ID]cluster.InstanceSpec{}, known: map[cluster.ID]cluster.InstanceStatus{},
		seen: map[cluster.ID][]string{}, asked: map[cluster.ID]int{}, answer: cluster.ReportAnswer{Epoch: 1}, shipped: map[cluster.ID]string{},
	}
}

func (p *pacemaker) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *pacemaker) gate() error {
	if p.away {
		return cluster.Unavailable("the pacemaker is away")
	}
	return p.refuse
}

func (p *pacemaker) Hello(_ context.Context, h cluster.Hello) (cluster.Welcome, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return cluster.Welcome{Epoch: p.answer.Epoch}, p.gate()
}

// OtherPort refuses unless the test gives ports to give.
func (p *pacemaker) OtherPort(_ context.Context, id cluster.ID, refused int) (cluster.InstanceSpec, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.spare) == 0 {
		return cluster.InstanceSpec{}, cluster.Conflict("no port is free")
	}
	spec := p.specs[id]
	spec.Port, p.spare = p.spare[0], p.spare[1:]
	p.specs[id] = spec
	return spec, p.gate()
}

func (p *pacemaker) Report(_ context.Context, r cluster.Report) (cluster.ReportAnswer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.gate(); err != nil {
		return cluster.ReportAnswer{}, err
	}
	if r.Session == p.last.Session && r.Counter <= p.last.Counter {
		p.t.Errorf("report %d came after %d", r.Counter, p.last.Counter)
	}
	if r.Full {
		p.known = map[cluster.ID]cluster.InstanceStatus{}
	}
	for _, s := range r.Instances {
		p.known[s.ID] = s
		if s.Crashing {
			p.causes = append(p.causes, s.Error)
		}
		if s.Crashing && !cluster.WasTakenDown(s.Error) || s.Restarts > 0 {
			p.crashes = append(p.crashes, fmt.Sprintf("%+v", s))
		}
		text := fmt.Sprintf("%s crashing=%t restarts=%d gone=%t", s.State, s.Crashing, s.Restarts, s.Gone)
		if list := p.seen[s.ID]; len(list) == 0 || list[len(list)-1] != text {
			p.seen[s.ID] = append(list, text)
		}
	}
	var all []cluster.InstanceStatus
	a := p.answer
	for _, s := range p.known {
		all = append(all, s)
	}
	if got := cluster.InstanceDigest(all); got != r.Digest {
		p.t.Errorf("report %d: its digest is not that of the statuses reported so far: %+v", r.Counter, all)
	}
	p.last, p.reports = r, p.reports+1
	return a, nil
}

func (p *pacemaker) Spec(_ context.Context, id cluster.ID) (cluster.InstanceSpec, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[id]++
	if err := p.gate(); err != nil {
		return cluster.InstanceSpec{}, err
	}
	s, ok := p.specs[id]
	if !ok {
		return s, cluster.NotFound("instance %s is not wanted here", id)
	}
	return s, nil
}

func (p *pacemaker) ShipLogs(_ context.Context, batch []cluster.LogPart) ([]cluster.LogPosition, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.gate(); err != nil {
		return nil, err
	}
	var refused []cluster.LogPosition
	for _, part := range batch {
		if at := p.shipped[part.Instance]; at != part.From {
			refused = append(refused, cluster.LogPosition{Instance: part.Instance, At: at})
			continue
		}
		p.shipped[part.Instance] = part.To
		p.lines = append(p.lines, part.Lines...)
	}
	return refused, nil
}

func (p *pacemaker) status(id cluster.ID) cluster.InstanceStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known[id]
}

// askedFor counts how often the spec of an instance was asked for.
func (p *pacemaker) askedFor(id cluster.ID) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[id]
}

func (p *pacemaker) lastReport() cluster.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// answered counts the reports that got an answer.
func (p *pacemaker) answered() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reports
}

// knows counts the instances that the heart has reported.
func (p *pacemaker) knows() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.known)
}

func (p *pacemaker) history(id cluster.ID) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.seen[id], "; ")
}

func forInstance(id cluster.ID) *rig.Job {
	return &rig.Job{Arguments: cluster.InstanceArgs{Instance: id}}
}

// lab is a node: an engine, an image, a fake pacemaker, a data directory that
// outlives its hearts.
type lab struct {
	t      *testing.T
	engine *docker.Engine
	image  cluster.Image
	pace   *pacemaker
	cfg    heart.Config
}

func newLab(t *testing.T) *lab {
	t.Helper()
	e, id := rig.Engine(t)
	return labOn(t, e, id)
}

// labOn is a lab with an engine of the test's choice.
func labOn(t *testing.T, e *docker.Engine, id cluster.ID) *lab {
	t.Helper()
	return &lab{
		t: t, engine: e, image: rig.Image(t, e, id), pace: newPacemaker(t),
		cfg: heart.Config{
			NodeID: cluster.NewID(), NodeName: "n1", Cluster: id, DataDir: t.TempDir(), DockerHost: e.Host(),
			ReportEvery: 100 * time.Millisecond, Hello: cluster.Hello{Roles: []cluster.Role{cluster.RoleHeart}},
		},
	}
}

// node is a running heart.
type node struct {
	*heart.Heart
	stop  context.CancelFunc
	ended chan error
}

// start opens and runs a heart; kill ends it, as the end of the test does.
func (l *lab) start() *node {
	l.t.Helper()
	cfg := l.cfg
	cfg.Hello.Session = string(cluster.NewID())
	h, err := heart.New(cfg, l.pace, slog.New(slog.DiscardHandler))
	if err != nil {
		l.t.Fatalf("make a heart: %v", err)
	}
	if err := h.Open(l.t.Context()); err != nil {
		l.t.Fatalf("open the heart: %v", err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(l.t.Context()))
	n := &node{Heart: h, stop: cancel, ended: make(chan error, 1)}
	go func() { n.ended <- h.Run(ctx); close(n.ended) }() // ends with cancel
	l.t.Cleanup(n.kill)
	return n
}

func (n *node) kill() {
	n.stop()
	<-n.ended
}

// want makes an instance wanted; mode is what the test app does.
func (l *lab) want(mode string, change func(*cluster.InstanceSpec)) cluster.ID {
	l.t.Helper()
	s := cluster.InstanceSpec{
		ID: cluster.NewID(), AppID: cluster.NewID(), App: "shop", Release: "v1", Type: "web", Node: "n1", Image: l.image,
		Env: map[string]string{"MODE": mode, "SECRET": "canary"}, Port: rig.FreePort(l.t), Limits: cluster.Limits{Memory: 64 << 20},
		Health: cluster.Health{StartTimeout: testkit.Hang, Interval: 100 * time.Millisecond}, StopGrace: 5 * time.Second,
	}
	if change != nil {
		change(&s)
	}
	l.pace.set(func() { l.pace.specs[s.ID] = s })
	return s.ID
}

// running starts an instance through its job and waits until it is healthy.
func (l *lab) running(n *node, mode string, change func(*cluster.InstanceSpec)) cluster.ID {
	l.t.Helper()
	id := l.want(mode, change)
	if _, err := n.StartInstance(l.t.Context(), forInstance(id)); err != nil {
		l.t.Fatalf("start %s: %v", mode, err)
	}
	return id
}

func (l *lab) eventually(what string, cond func() bool) {
	l.t.Helper()
	testkit.Eventually(l.t, what, cond)
}

func (l *lab) inspect(id cluster.ID) docker.Container {
	l.t.Helper()
	c, err := l.engine.Inspect(l.t.Context(), id)
	if err != nil {
		l.t.Fatalf("inspect %s: %v", id, err)
	}
	return c
}
