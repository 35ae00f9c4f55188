package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/live"
	"aorta/web/wire"
)

// NewHub makes the hub of the live streams; its Run is the caller's to start.
// Live of the configuration is not used.
func NewHub(cfg Config) *live.Hub {
	a := &API{Config: cfg, pace: cfg.Pacemaker, store: cfg.Pacemaker.Store()}
	return live.New(newWatcher(a), cfg.Log)
}

// The bounds of what lists show.
const (
	endedShown    = 50
	openShown     = 200
	releasesShown = 20
)

// watcher computes the topics of live streams. The hub asks for one look at a
// time.
type watcher struct {
	*API
	numbers  numbersNow
	away     awayNow
	memory   memory
	overview wire.LiveOverview // as told last
	failing  map[string]bool   // what is known to fail, and was logged
}

func newWatcher(a *API) *watcher {
	return &watcher{API: a, failing: map[string]bool{}, numbers: numbersNow{source: a.Numbers}, memory: newMemory()}
}

// Changes is part of live.Source.
func (w *watcher) Changes(ctx context.Context) <-chan struct{} { return w.pace.Changes(ctx) }

// Look is part of live.Source.
func (w *watcher) Look(ctx context.Context, topics []string, now time.Time) map[string]live.State {
	l := look{watcher: w, now: now}
	out := make(map[string]live.State, len(topics))
	// The overview says what is wrong: it does not wait for what may hang by that.
	ordered := slices.SortedStableFunc(slices.Values(topics), func(a, b string) int {
		return cmp.Compare(urgency(a), urgency(b))
	})
	for _, topic := range ordered {
		state, err := l.topic(ctx, topic)
		w.report(topic, err)
		if err == nil {
			out[topic] = state
		}
	}
	return out
}

func urgency(topic string) int {
	if topic == topicOverview {
		return 0
	}
	return 1
}

// report logs when a topic begins and ends to fail.
func (w *watcher) report(topic string, err error) {
	switch {
	case err != nil && !w.failing[topic]:
		w.Log.Error("a live topic can't be computed; pages keep what they show", "topic", topic, "err", err)
		w.failing[topic] = true
	case err == nil && w.failing[topic]:
		w.Log.Info("the live topic is computed again", "topic", topic)
		delete(w.failing, topic)
	}
}

// look is one Look: what its topics share is read once.
type look struct {
	*watcher
	now    time.Time
	glance *pacemaker.Glance
}

func (l *look) topic(ctx context.Context, topic string) (live.State, error) {
	switch topic {
	case topicJobs:
		return l.jobs(ctx)
	case topicApps:
		return l.apps(ctx)
	case topicOverview:
		return live.State{Event: topicOverview, Value: l.overviewNow(ctx)}, nil
	}
	return l.appPage(ctx, strings.TrimPrefix(topic, topicApp))
}

func (l *look) seen(ctx context.Context) (*pacemaker.Glance, error) {
	if l.glance == nil {
		g, err := l.pace.Glance(ctx)
		if err != nil {
			return nil, err
		}
		l.glance = &g
	}
	return l.glance, nil
}

func (l *look) apps(ctx context.Context) (live.State, error) {
	g, err := l.seen(ctx)
	if err != nil {
		return live.State{}, err
	}
	l.numbers.refresh(ctx, l.now, l.Log)
	s := live.State{Event: topicApps, List: true, Rows: make([]live.Row, len(g.Apps))}
	for i, app := range g.Apps {
		s.Rows[i] = live.Row{Key: app.Name, Value: wire.LiveApp{
			Name: app.Name, State: string(app.State), Release: app.Release, URL: l.pace.AppURL(app.App), Running: app.Running, Wanted: app.Wanted,
			Rates: l.numbers.rates(string(app.ID)), Spark: l.numbers.spark(string(app.ID)), Operation: refWire(app.Operation),
		}}
	}
	return s, nil
}

func refWire(op *cluster.Operation) *wire.LiveRef {
	if op == nil {
		return nil
	}
	return &wire.LiveRef{ID: string(op.ID), Title: op.Title}
}

// jobs lists the open operations, the newest ended ones and those that need
// attention, newest first.
func (l *look) jobs(ctx context.Context) (live.State, error) {
	open, err := l.store.OpenOperations(ctx)
	if err != nil {
		return live.State{}, err
	}
	newest, err := l.store.Operations(ctx, store.OperationQuery{Limit: endedShown + len(open)})
	if err != nil {
		return live.State{}, err
	}
	needy, err := l.store.Operations(ctx, store.OperationQuery{State: cluster.OperationFailed, Attention: true, Limit: store.AttentionLimit})
	if err != nil {
		return live.State{}, err
	}
	roots, err := l.rootsWire(ctx, shownOperations(open, newest, needy))
	s := live.State{Event: topicJobs, List: true, Rows: make([]live.Row, len(roots))}
	for i, r := range roots {
		s.Rows[i] = live.Row{Key: r.ID, Value: r}
	}
	return s, err
}

// shownOperations picks from the open operations, read first, the newest, and
// those that need attention.
func shownOperations(open, newest, needy []cluster.Operation) []cluster.Operation {
	var shown []cluster.Operation
	listed := map[cluster.ID]bool{}
	for _, op := range newest {
		if op.State != cluster.OperationOpen && len(shown) < endedShown {
			shown = append(shown, op)
		}
		listed[op.ID] = op.State != cluster.OperationOpen
	}
	for _, op := range needy {
		listed[op.ID] = true
	}
	// One that has ended between the readings is among the later ones.
	open = slices.DeleteFunc(slices.Clone(open), func(op cluster.Operation) bool { return listed[op.ID] })
	shown = append(shown, open[max(0, len(open)-openShown):]...)
	shown = append(shown, needy...)
	slices.SortFunc(shown, func(a, b cluster.Operation) int { return strings.Compare(string(b.ID), string(a.ID)) })
	return slices.CompactFunc(shown, func(a, b cluster.Operation) bool { return a.ID == b.ID })
}

// appPage is all about one app.
func (l *look) appPage(ctx context.Context, name string) (live.State, error) {
	app, err := l.store.App(ctx, name)
	if cluster.CodeOf(err) == cluster.CodeNotFound {
		return live.State{Event: "gone", Value: wire.LiveGone{App: name}}, nil
	}
	if err != nil {
		return live.State{}, err
	}
	l.numbers.refresh(ctx, l.now, l.Log)
	page := wire.LiveAppPage{
		Instances: []wire.Instance{}, Formation: []wire.Process{}, Releases: []wire.Release{}, Domains: []wire.Domain{},
		Rates: l.numbers.rates(string(app.ID)), Spark: l.numbers.spark(string(app.ID)),
	}
	for _, fill := range []func(context.Context, cluster.App, *wire.LiveAppPage) error{
		l.fillApp, l.fillProcesses, l.fillReleases, l.fillDomains,
	} {
		if err := fill(ctx, app, &page); err != nil {
			return live.State{}, err
		}
	}
	return live.State{Event: "app", Value: page}, nil
}

func (l *look) fillApp(ctx context.Context, app cluster.App, page *wire.LiveAppPage) error {
	g, err := l.seen(ctx)
	if err != nil {
		return err
	}
	at, found := slices.BinarySearchFunc(g.Apps, app.Name, func(a pacemaker.AppGlance, name string) int { return strings.Compare(a.Name, name) })
	if found {
		page.State, page.Operation = string(g.Apps[at].State), refWire(g.Apps[at].Operation)
	}
	page.App, err = l.appView(ctx, app)
	return err
}

func (l *look) fillProcesses(ctx context.Context, app cluster.App, page *wire.LiveAppPage) error {
	formation, err := l.showFormation(ctx, &AppPath{App: app.Name})
	if err != nil {
		return err
	}
	page.Formation = formation.Body.Processes
	views, err := l.pace.InstanceViews(ctx, app)
	for _, v := range views {
		page.Instances = append(page.Instances, instanceWire(app, v))
	}
	return err
}

func (l *look) fillReleases(ctx context.Context, app cluster.App, page *wire.LiveAppPage) error {
	list, err := l.store.Releases(ctx, app.ID, 0, releasesShown)
	if err != nil {
		return err
	}
	traffic, err := l.traffic(ctx, app)
	for _, r := range list {
		page.Releases = append(page.Releases, releaseWire(r, traffic))
	}
	return err
}

func (l *look) fillDomains(ctx context.Context, app cluster.App, page *wire.LiveAppPage) error {
	list, err := l.store.Domains(ctx, app.ID)
	for _, d := range list {
		page.Domains = append(page.Domains, domainWire(app, d))
	}
	return err
}
