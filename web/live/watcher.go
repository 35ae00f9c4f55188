package live

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
	"aorta/pacemaker/store"
	"aorta/web/live/hub"
	"aorta/web/view"
	"aorta/web/wire"
)

// The bounds of what lists show.
const (
	endedShown    = 50 // of what people asked for
	ownShown      = 20 // of what Aorta began by itself
	openShown     = 200
	releasesShown = 20
)

// watcher computes the topics of live streams, one computation at a time.
type watcher struct {
	*Streams
	numbers  numbersNow
	memory   memory
	overview wire.LiveOverview // as reported last
	failing  map[string]bool   // what is known to fail, and was logged
}

func newWatcher(s *Streams, recent Recents) *watcher {
	return &watcher{Streams: s, failing: map[string]bool{}, numbers: numbersNow{source: recent}, memory: newMemory()}
}

// Changes is part of hub.Source.
func (w *watcher) Changes(ctx context.Context) <-chan struct{} { return w.pace.Following.Changes(ctx) }

// Compute is part of hub.Source.
func (w *watcher) Compute(ctx context.Context, topics []string, now time.Time) map[string]hub.State {
	c := computation{watcher: w, now: now}
	out := make(map[string]hub.State, len(topics))
	// The overview says what is wrong: it does not wait for what may hang by that.
	ordered := slices.SortedStableFunc(slices.Values(topics), func(a, b string) int {
		return cmp.Compare(urgency(a), urgency(b))
	})
	for _, topic := range ordered {
		state, err := c.topic(ctx, topic)
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
		w.log.Error("a live topic can't be computed; pages keep what they show", "topic", topic, "err", err)
		w.failing[topic] = true
	case err == nil && w.failing[topic]:
		w.log.Info("the live topic is computed again", "topic", topic)
		delete(w.failing, topic)
	}
}

// computation is one Compute: what its topics share is read once.
type computation struct {
	*watcher
	now      time.Time
	snapshot *overview.Snapshot
}

func (c *computation) topic(ctx context.Context, topic string) (hub.State, error) {
	switch topic {
	case topicJobs:
		return c.jobs(ctx)
	case topicApps:
		return c.apps(ctx)
	case topicOverview:
		return hub.State{Event: topicOverview, Value: c.overviewNow(ctx)}, nil
	}
	if node, ofNode := strings.CutPrefix(topic, topicNode); ofNode {
		return c.nodePage(ctx, node)
	}
	return c.appPage(ctx, strings.TrimPrefix(topic, topicApp))
}

func (c *computation) seen(ctx context.Context) (*overview.Snapshot, error) {
	if c.snapshot == nil {
		g, err := c.pace.Overview.Snapshot(ctx)
		if err != nil {
			return nil, err
		}
		c.snapshot = &g
	}
	return c.snapshot, nil
}

func (c *computation) apps(ctx context.Context) (hub.State, error) {
	g, err := c.seen(ctx)
	if err != nil {
		return hub.State{}, err
	}
	c.numbers.refresh(ctx, c.now, c.log)
	s := hub.State{Event: topicApps, List: true, Rows: make([]hub.Row, len(g.Apps))}
	for i, app := range g.Apps {
		s.Rows[i] = hub.Row{Key: app.Name, Value: wire.LiveApp{
			Name: app.Name, State: string(app.State), Severity: string(app.Severity), Verdict: app.Verdict.Text,
			Release: app.Release, URL: c.view.URL(app), Running: app.Running, Wanted: app.Wanted,
			Rates: c.numbers.rates(string(app.ID)), Spark: c.numbers.spark(string(app.ID)), Operation: reference(app.Operation),
		}}
	}
	return s, nil
}

func reference(op *cluster.Operation) *wire.LiveRef {
	if op == nil {
		return nil
	}
	return &wire.LiveRef{ID: string(op.ID), Title: op.Title}
}

// jobs lists the open operations, the newest ended ones of people and of Aorta
// itself, and those that need attention, newest first.
func (c *computation) jobs(ctx context.Context) (hub.State, error) {
	open, err := c.store.OpenOperations(ctx)
	if err != nil {
		return hub.State{}, err
	}
	asked := newest{most: endedShown}
	if asked.list, err = c.store.Operations(ctx, store.OperationQuery{By: store.ByPeople, Limit: endedShown + len(open)}); err != nil {
		return hub.State{}, err
	}
	own := newest{most: ownShown}
	if own.list, err = c.store.Operations(ctx, store.OperationQuery{By: store.ByAorta, Uncaused: true, Limit: ownShown + len(open)}); err != nil {
		return hub.State{}, err
	}
	needy, err := c.store.Operations(ctx, store.OperationQuery{State: cluster.OperationFailed, Attention: true, Limit: store.AttentionLimit})
	if err != nil {
		return hub.State{}, err
	}
	roots, err := c.view.Roots(ctx, shownOperations(open, needy, asked, own))
	s := hub.State{Event: topicJobs, List: true, Rows: make([]hub.Row, len(roots))}
	for i, r := range roots {
		s.Rows[i] = hub.Row{Key: r.ID, Value: r}
	}
	return s, err
}

// newest are operations, the newest first, and how many are shown of those that
// have ended.
type newest struct {
	list []cluster.Operation
	most int
}

func (n newest) ended() []cluster.Operation {
	return slices.DeleteFunc(slices.Clone(n.list), func(op cluster.Operation) bool { return op.State == cluster.OperationOpen })
}

// shownOperations picks from the open operations, read first, those that need
// attention, and the newest.
func shownOperations(open, needy []cluster.Operation, lists ...newest) []cluster.Operation {
	var shown []cluster.Operation
	listed := map[cluster.ID]bool{}
	for _, n := range lists {
		ended := n.ended()
		for _, op := range ended {
			listed[op.ID] = true
		}
		shown = append(shown, ended[:min(len(ended), n.most)]...)
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
func (c *computation) appPage(ctx context.Context, name string) (hub.State, error) {
	app, err := c.store.App(ctx, name)
	if cluster.CodeOf(err) == cluster.CodeNotFound {
		return hub.State{Event: "gone", Value: wire.LiveGone{App: name}}, nil
	}
	if err != nil {
		return hub.State{}, err
	}
	c.numbers.refresh(ctx, c.now, c.log)
	page := wire.LiveAppPage{
		Instances: []wire.Instance{}, Formation: []wire.Process{}, Releases: []wire.Release{}, Domains: []wire.Domain{},
		Rates: c.numbers.rates(string(app.ID)), Spark: c.numbers.spark(string(app.ID)),
	}
	for _, fill := range []func(context.Context, cluster.App, *wire.LiveAppPage) error{
		c.fillApp, c.fillProcesses, c.fillReleases, c.fillDomains,
	} {
		if err := fill(ctx, app, &page); err != nil {
			return hub.State{}, err
		}
	}
	return hub.State{Event: "app", Value: page}, nil
}

func (c *computation) fillApp(ctx context.Context, app cluster.App, page *wire.LiveAppPage) error {
	g, err := c.seen(ctx)
	if err != nil {
		return err
	}
	at, found := slices.BinarySearchFunc(g.Apps, app.Name, func(a overview.App, name string) int { return strings.Compare(a.Name, name) })
	if !found {
		page.App, err = c.view.App(ctx, app)
		return err
	}
	page.State, page.Operation = string(g.Apps[at].State), reference(g.Apps[at].Operation)
	page.App, err = c.view.Seen(ctx, g.Apps[at])
	return err
}

func (c *computation) fillProcesses(ctx context.Context, app cluster.App, page *wire.LiveAppPage) error {
	formation, err := c.view.Formation(ctx, app)
	if err != nil {
		return err
	}
	page.Formation = formation.Processes
	views, err := c.pace.Overview.Instances(ctx, app)
	for _, v := range views {
		page.Instances = append(page.Instances, view.Instance(app, v))
	}
	return err
}

func (c *computation) fillReleases(ctx context.Context, app cluster.App, page *wire.LiveAppPage) error {
	list, err := c.store.Releases(ctx, app.ID, 0, releasesShown)
	if err != nil {
		return err
	}
	traffic, err := c.view.Traffic(ctx, app)
	for _, r := range list {
		page.Releases = append(page.Releases, view.Release(r, traffic))
	}
	return err
}

func (c *computation) fillDomains(ctx context.Context, app cluster.App, page *wire.LiveAppPage) error {
	list, err := c.store.Domains(ctx, app.ID)
	for _, d := range list {
		page.Domains = append(page.Domains, view.Domain(app, d))
	}
	return err
}
