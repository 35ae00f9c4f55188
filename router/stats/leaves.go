package stats

import "fmt"

// leaves is a batch spread over the dimensions, as it goes to Redis.
type leaves struct {
	seconds map[string]map[slot]steps // by app
	totals  map[string]*Counters      // by app
	release map[[2]string]*Counters   // by app and release
}

// within refuses a batch with hits of another shard: it would lie under a position
// that does not cover them.
func (b *Batch) within(shard int) error {
	for key := range b.cells {
		if ShardOf(key.app) != shard {
			return fmt.Errorf("app %q is of shard %d, not %d", key.app, ShardOf(key.app), shard)
		}
	}
	return nil
}

func (b *Batch) spread(router string) leaves {
	l := leaves{map[string]map[slot]steps{}, map[string]*Counters{}, map[[2]string]*Counters{}}
	for key, c := range b.cells {
		app := orNoApp(key.app)
		addTo(l.totals, app, c.Counters)
		if key.release != "" {
			addTo(l.release, [2]string{app, key.release}, c.Counters)
		}
		l.add(app, key.second, dimApp, c.Counters)
		l.add(app, key.second, dimRouter+dim(router), c.Counters)
		l.addNamed(app, key, c)
	}
	for key, n := range b.tried {
		l.add(orNoApp(key.app), key.second, dimInstance+dim(key.instance), Counters{Attempts: n})
	}
	return l
}

// addNamed adds to the dimensions that a request need not have.
func (l leaves) addNamed(app string, key cellKey, c *cell) {
	for prefix, value := range map[dim]string{dimRelease: key.release, dimType: key.typ, dimNode: key.node} {
		if value != "" {
			l.add(app, key.second, prefix+dim(value), c.Counters)
		}
	}
	if key.instance != "" {
		counts := c.Counters
		counts.Latency = nil
		counts.Attempts -= min(counts.Attempts, c.away)
		l.add(app, key.second, dimInstance+dim(key.instance), counts)
	}
}

func (l leaves) add(app string, second int64, d dim, c Counters) {
	slots := l.seconds[app]
	if slots == nil {
		slots = map[slot]steps{}
		l.seconds[app] = slots
	}
	at := slot{level: 0, start: levels[0].start(second), dim: d}
	if slots[at] == nil {
		slots[at] = steps{}
	}
	slots[at].add(second, c)
}

func addTo[K comparable](m map[K]*Counters, key K, c Counters) {
	if m[key] == nil {
		m[key] = &Counters{}
	}
	m[key].Add(c)
}
