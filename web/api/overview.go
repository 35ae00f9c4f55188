package api

import (
	"context"
	"time"

	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

const (
	attentionShown = 50
	awayEvery      = 2 * time.Second
	awayTimeout    = time.Second
)

// awayNow keeps which Redis servers do not answer, asked now and then.
type awayNow struct {
	names []string
	next  time.Time
}

func (l *look) askAway(ctx context.Context) []string {
	if !l.now.Before(l.away.next) {
		bounded, cancel := context.WithTimeout(ctx, awayTimeout)
		l.away.names, l.away.next = l.pace.Away(bounded), l.now.Add(awayEvery)
		cancel()
	}
	if l.numbers.stale {
		return append(append([]string{}, l.away.names...), "statistics Redis")
	}
	return l.away.names
}

// overviewNow is the cluster at a glance, also when its database is away.
func (l *look) overviewNow(ctx context.Context) wire.LiveOverview {
	l.numbers.refresh(ctx, l.now, l.Log)
	away := l.askAway(ctx)
	g, err := l.seen(ctx)
	l.report("the database", err)
	if err != nil {
		return l.blind()
	}
	concerns := g.Concerns(away)
	word, text := g.Verdict(concerns)
	w := wire.LiveOverview{
		State: string(word), Text: text, Attention: []wire.LiveAttention{}, Rates: l.numbers.rates(AllApps),
		Nodes: []wire.LiveNode{},
	}
	w.Apps.Total, w.Apps.Serving, w.Apps.Stopped = g.Counts()
	since := l.memory.times(concerns, l.now, func(c pacemaker.Concern) (time.Time, bool) {
		if c.AppID == "" {
			return time.Time{}, false
		}
		at, found, err := l.store.LastGone(ctx, c.AppID)
		return at, found && err == nil
	})
	for i, c := range concerns[:min(len(concerns), attentionShown)] {
		w.Attention = append(w.Attention, attentionWire(c, since[i]))
	}
	w.More = len(concerns) - len(w.Attention)
	w.Since = l.memory.since(word, concerns, since, g.LastChange, l.now)
	for _, n := range g.Nodes {
		w.Nodes = append(w.Nodes, liveNode(n))
		if n.Has(cluster.RoleRouter) {
			w.Routers.Total++
			if !n.RouterSilent {
				w.Routers.Live++
			}
		}
	}
	l.overview = w
	return w
}

// blind is what can be said without the database: what was seen last, muted.
func (l *look) blind() wire.LiveOverview {
	const text = "The database does not answer: changes can't be made, apps go on serving. Look at the pacemaker's log and its disk."
	w := l.overview
	since := l.memory.of("sql", l.now)
	w.State, w.Text, w.Since, w.Stale, w.More = string(pacemaker.WordBad), text, since, true, 0
	w.Attention = []wire.LiveAttention{{Text: text, State: w.State, Kind: "sql", Since: since}}
	w.Rates = l.numbers.rates(AllApps)
	if w.Nodes == nil {
		w.Nodes = []wire.LiveNode{}
	}
	return w
}

func attentionWire(c pacemaker.Concern, since time.Time) wire.LiveAttention {
	return wire.LiveAttention{Text: c.Text, State: string(c.Word), Kind: c.Kind, ID: c.ID, App: c.App, Since: since}
}

func liveNode(n pacemaker.NodeGlance) wire.LiveNode {
	w := wire.LiveNode{
		ID: string(n.ID), Name: n.Name, Address: n.Address, Roles: []string{}, State: string(n.State),
		Score: n.Score, Instances: n.Instances, Tags: n.Tags, HeardAt: n.HeardAt,
	}
	for _, r := range n.Roles {
		w.Roles = append(w.Roles, string(r))
	}
	if w.Tags == nil {
		w.Tags = map[string]string{}
	}
	if n.Unheard {
		w.State = string(cluster.NodeSuspect)
	}
	return w
}

// forgetAfter is how long nobody may look before what was remembered says
// nothing any more.
const forgetAfter = 10 * time.Second

// memory knows since when things are as they are, for what nobody wrote down.
type memory struct {
	seen   map[string]time.Time // by concern
	word   pacemaker.Word       // as told last
	well   time.Time            // since when that is ok
	looked time.Time
}

func newMemory() memory { return memory{seen: map[string]time.Time{}} }

// times are since when each of the concerns lasts: as remembered, as written
// down, as guessed, or else from now on.
func (m *memory) times(concerns []pacemaker.Concern, now time.Time, guess func(pacemaker.Concern) (time.Time, bool)) []time.Time {
	if now.Sub(m.looked) > forgetAfter {
		*m = newMemory()
	}
	m.looked = now
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
			at = now
		}
		fresh[c.Key()], out[i] = at, at
	}
	m.seen = fresh
	return out
}

// of remembers one thing while times is not asked.
func (m *memory) of(key string, now time.Time) time.Time {
	m.looked = now
	if _, known := m.seen[key]; !known {
		m.seen[key] = now
	}
	return m.seen[key]
}

// since is since when the whole is as the word says: from its oldest concern of
// that word; when all is well from when it was first seen so, or from the last
// change before anybody looked.
func (m *memory) since(word pacemaker.Word, concerns []pacemaker.Concern, times []time.Time, change, now time.Time) time.Time {
	if word != m.word {
		if m.well = now; m.word == "" {
			m.well = change
		}
		m.word = word
	}
	since := m.well
	for i, c := range concerns {
		if c.Word == word && (i == 0 || times[i].Before(since)) {
			since = times[i]
		}
	}
	return since.UTC()
}
