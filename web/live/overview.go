package live

import (
	"context"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
	"aorta/web/view"
	"aorta/web/wire"
)

const attentionShown = 50

// overviewNow is the summary of the cluster, also when its database is away.
func (c *computation) overviewNow(ctx context.Context) wire.LiveOverview {
	c.numbers.refresh(ctx, c.now, c.log)
	g, err := c.seen(ctx)
	c.report("the database", err)
	if err != nil {
		return c.blind()
	}
	concerns := g.Concerns()
	severity, text := g.Verdict(concerns)
	w := wire.LiveOverview{
		State: string(severity), Text: text, Attention: []wire.LiveAttention{}, Rates: c.numbers.rates(AllApps),
		Nodes: []wire.LiveNode{},
	}
	w.Apps.Total, w.Apps.Serving, w.Apps.Stopped = g.Counts()
	since := c.times(ctx, concerns)
	for i, concern := range concerns[:min(len(concerns), attentionShown)] {
		w.Attention = append(w.Attention, attentionWire(concern, since[i]))
	}
	w.More = len(concerns) - len(w.Attention)
	w.Since = orNil(c.memory.since(severity, concerns, since, g.LastChange, c.now))
	for _, n := range g.Nodes {
		w.Nodes = append(w.Nodes, liveNode(n))
		if n.Has(cluster.RoleRouter) {
			w.Routers.Total++
			if !n.RouterSilent {
				w.Routers.Live++
			}
		}
	}
	c.overview = w
	return w
}

// times are since when each of the concerns lasts, zero where nobody knows.
func (c *computation) times(ctx context.Context, concerns []overview.Concern) []time.Time {
	return c.memory.times(concerns, c.now, func(concern overview.Concern) (time.Time, bool) {
		if !concern.Lacks {
			return time.Time{}, false
		}
		at, found, err := c.store.LastGone(ctx, concern.AppID)
		return at, found && err == nil
	})
}

// blind is what can be said without the database: what was seen last, muted.
func (c *computation) blind() wire.LiveOverview {
	const text = "The database does not answer: changes can't be made, apps go on serving. Check the pacemaker's log and its disk."
	w := c.overview
	since := c.memory.of("sql", c.now)
	w.State, w.Text, w.Since, w.Stale, w.More = string(overview.SeverityBad), text, &since, true, 0
	w.Attention = []wire.LiveAttention{{Text: text, State: w.State, Kind: "sql", Since: &since}}
	w.Rates = c.numbers.rates(AllApps)
	if w.Nodes == nil {
		w.Nodes = []wire.LiveNode{}
	}
	return w
}

func liveNode(n overview.Node) wire.LiveNode {
	return wire.LiveNode{NodeFacts: view.NodeFacts(n), HeardAt: n.HeardAt}
}

func attentionWire(c overview.Concern, since time.Time) wire.LiveAttention {
	return wire.LiveAttention{Text: c.Text, State: string(c.Severity), Kind: c.Kind, ID: c.ID, App: c.App, Node: c.Node, Since: orNil(since)}
}

// orNil is t, or nil where that is the zero time.
func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// forgetAfter is how long nobody may ask before what was remembered says nothing
// any more.
const forgetAfter = 10 * time.Second

// memory records since when a state holds, if nothing else does.
type memory struct {
	seen     map[string]time.Time // by concern
	severity overview.Severity    // as reported last
	okSince  time.Time            // while the severity is ok
	asked    time.Time            // last
}

func newMemory() memory { return memory{seen: map[string]time.Time{}} }

// times are since when each of the concerns lasts: as remembered, as written
// down, as guessed, or else from now on. It is zero where nothing is written down
// and nobody has watched before, so that it may have lasted for long.
func (m *memory) times(concerns []overview.Concern, now time.Time, guess func(overview.Concern) (time.Time, bool)) []time.Time {
	unseen := now
	if now.Sub(m.asked) > forgetAfter {
		*m, unseen = newMemory(), time.Time{}
	}
	m.asked = now
	fresh, out := make(map[string]time.Time, len(concerns)), make([]time.Time, len(concerns))
	for i, c := range concerns {
		at, known := m.seen[c.Key()]
		if !known {
			at, known = c.Since, !c.Since.IsZero()
		}
		if !known {
			at, known = guess(c)
		}
		if !known {
			at = unseen
		}
		fresh[c.Key()], out[i] = at, at
	}
	m.seen = fresh
	return out
}

// of remembers one thing while times is not asked.
func (m *memory) of(key string, now time.Time) time.Time {
	m.asked = now
	if _, known := m.seen[key]; !known {
		m.seen[key] = now
	}
	return m.seen[key]
}

// since is when the cluster came to the severity: with the oldest concern of that
// severity, zero if nobody knows since when that lasts; without concerns when it
// was first seen so, or at the last change before anybody asked.
func (m *memory) since(severity overview.Severity, concerns []overview.Concern, times []time.Time, change, now time.Time) time.Time {
	if severity != m.severity {
		if m.okSince = now; m.severity == "" {
			m.okSince = change
		}
		m.severity = severity
	}
	since := m.okSince
	for i, c := range concerns {
		if c.Severity == severity && (i == 0 || times[i].Before(since)) {
			since = times[i]
		}
	}
	return since.UTC()
}
