package stats

import (
	"context"
	"fmt"
	"time"
)

const (
	// ahead is how far in the future a router's clock may be: later requests count now.
	ahead = time.Hour
	// strangerTTL is how long the numbers of an app stay that there is not.
	strangerTTL = 24 * time.Hour
	// relist is after how long at most it is asked anew which apps there are.
	relist = time.Minute
)

// Names says what there is to count for.
type Names interface {
	// Apps are the ids of all apps.
	Apps(context.Context) ([]string, error)
	// Of are the names that requests of an app may have: the ids of its releases and
	// instances, its process types, and the ids of nodes.
	Of(ctx context.Context, app string) ([]string, error)
}

// known keeps what there is, and asks anew at most once a pass, when something is named
// that it does not know: what is new is there before anybody can ask it. It is not for
// several goroutines at once.
type known struct {
	src       Names
	listed    time.Time
	asked     map[string]bool            // in this pass, by app; "" is the list of them
	apps      map[string]map[string]bool // the names of each app, nil when none were asked for
	strangers map[string]time.Time       // apps that have numbers and are not, since when
}

func newKnown(src Names) *known {
	return &known{src: src, asked: map[string]bool{}, apps: map[string]map[string]bool{}, strangers: map[string]time.Time{}}
}

// begin begins a pass.
func (k *known) begin() { clear(k.asked) }

func (k *known) app(ctx context.Context, app string, now time.Time) (bool, error) {
	if k.src == nil || app == "" || app == NoApp {
		return true, nil
	}
	if _, there := k.apps[app]; (!there && !k.asked[""]) || now.Sub(k.listed) > relist {
		if err := k.list(ctx, now); err != nil {
			return false, err
		}
	}
	_, there := k.apps[app]
	return there, nil
}

// list asks which apps there are, and forgets the names of those that are gone.
func (k *known) list(ctx context.Context, now time.Time) error {
	apps, err := k.src.Apps(ctx)
	if err != nil {
		return fmt.Errorf("list the apps: %w", err)
	}
	found := make(map[string]map[string]bool, len(apps))
	for _, app := range apps {
		found[app] = k.apps[app]
	}
	k.apps, k.asked[""], k.listed = found, true, now
	return nil
}

// name gives back the name if it is one of the app's, else "".
func (k *known) name(ctx context.Context, app, name string) (string, error) {
	if k.src == nil || name == "" || k.apps[app][name] {
		return name, nil
	}
	if _, there := k.apps[app]; there && !k.asked[app] {
		names, err := k.src.Of(ctx, app)
		if err != nil {
			return "", fmt.Errorf("list what there is of app %s: %w", app, err)
		}
		k.asked[app], k.apps[app] = true, make(map[string]bool, len(names))
		for _, n := range names {
			k.apps[app][n] = true
		}
	}
	if k.apps[app][name] {
		return name, nil
	}
	return "", nil
}

// of is what of a batch can be counted in the shard: nothing of an app that there is
// not, and under no name that is not the app's.
func (k *known) of(ctx context.Context, shard int, b *Batch, now time.Time) (*Batch, error) {
	out := NewBatch()
	for key, c := range b.cells {
		there, err := k.counts(ctx, shard, key.app, now)
		if err != nil {
			return nil, err
		}
		if !there {
			continue
		}
		for _, name := range []*string{&key.release, &key.typ, &key.instance, &key.node} {
			if *name, err = k.name(ctx, key.app, *name); err != nil {
				return nil, err
			}
		}
		key.second = notAhead(key.second, now)
		out.addCell(key, c)
	}
	for key, n := range b.tried {
		there, err := k.counts(ctx, shard, key.app, now)
		if err == nil && there {
			key.instance, err = k.name(ctx, key.app, key.instance)
		}
		if err != nil {
			return nil, err
		}
		if there && key.instance != "" {
			key.second = notAhead(key.second, now)
			out.tried[key] += n
		}
	}
	return out, nil
}

func (k *known) counts(ctx context.Context, shard int, app string, now time.Time) (bool, error) {
	if ShardOf(app) != shard {
		return false, nil
	}
	return k.app(ctx, app, now)
}

func notAhead(second int64, now time.Time) int64 {
	if second > now.Add(ahead).Unix() {
		return now.Unix()
	}
	return second
}

// sweep forgets the apps that have numbers, and that there has not been for long: lines
// of one that was destroyed may come late.
func (t *Taker) sweep(ctx context.Context, now time.Time) error {
	if t.cfg.Names == nil {
		return nil
	}
	if err := t.known.list(ctx, now); err != nil {
		return err
	}
	strangers := map[string]time.Time{}
	for shard := range Shards - 1 { // the last one is of no app
		apps, err := t.store.rdb.ZRange(ctx, appsKey(shard), 0, -1).Result()
		if err != nil {
			return fmt.Errorf("list the apps that have numbers: %w", err)
		}
		for _, app := range apps {
			if _, there := t.known.apps[app]; there {
				continue
			}
			since, before := t.known.strangers[app]
			if !before {
				since = now
			}
			if now.Sub(since) < strangerTTL {
				strangers[app] = since
				continue
			}
			if err := t.store.Forget(ctx, app); err != nil {
				return err
			}
		}
	}
	t.known.strangers = strangers
	return nil
}
