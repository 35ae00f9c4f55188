package live

import (
	"context"
	"log/slog"
	"math"
	"time"

	"aorta/web/wire"
)

// Recents answers for what apps did lately.
type Recents interface {
	// Recent gives what each app, by its id, and AllApps did of late. One call
	// at a time.
	Recent(ctx context.Context, now time.Time) (map[string]Recent, error)
}

// AllApps names in an answer of Recent all apps together.
const AllApps = ""

// Recent is what an app answered lately.
type Recent struct {
	Seconds  int // that requests, errors and percentile are of
	Requests uint64
	Errors   uint64   // 5xx
	P95      *float64 // ms; nil without traffic
	Spark    []uint32 // requests per ten seconds of the last ten minutes, oldest first
}

const (
	numbersTimeout = time.Second
	numbersEvery   = 900 * time.Millisecond // the hub computes once a second
	numbersRetry   = 2 * time.Second
	sparkSteps     = 60
)

// numbersNow keeps the recent numbers for about a second.
type numbersNow struct {
	source Recents
	apps   map[string]Recent
	stale  bool
	next   time.Time // when they are read next
	log    logOnce
}

func (n *numbersNow) refresh(ctx context.Context, now time.Time, log *slog.Logger) {
	if now.Before(n.next) {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, numbersTimeout)
	defer cancel()
	apps, err := n.source.Recent(bounded, now)
	n.log.report(log, "the statistics of the last ten minutes", err)
	n.apps, n.stale, n.next = apps, err != nil, now.Add(numbersEvery)
	if n.stale {
		n.next = now.Add(numbersRetry)
	}
}

func (n *numbersNow) rates(app string) wire.Rates {
	r := n.apps[app]
	if n.stale || r.Requests == 0 {
		return wire.Rates{Stale: n.stale}
	}
	perSecond := rounded(float64(r.Requests)/float64(r.Seconds), 10)
	errors := rounded(float64(r.Errors)/float64(r.Requests), 10_000)
	w := wire.Rates{Requests: &perSecond, ErrorRatio: &errors}
	if r.P95 != nil {
		p95 := rounded(*r.P95, 10)
		w.P95 = &p95
	}
	return w
}

// spark is nil when it is not known.
func (n *numbersNow) spark(app string) []uint32 {
	switch r, known := n.apps[app]; {
	case n.stale:
		return nil
	case known:
		return r.Spark
	}
	return make([]uint32, sparkSteps)
}

func rounded(v, per float64) float64 { return math.Round(v*per) / per }

// logOnce is the log of what is asked again and again.
type logOnce struct{ failing bool }

func (o *logOnce) report(log *slog.Logger, what string, err error) {
	switch {
	case err != nil && !o.failing:
		log.Warn(what+" can't be read", "err", err)
	case err == nil && o.failing:
		log.Info(what + " can be read again")
	}
	o.failing = err != nil
}
