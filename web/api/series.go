package api

import (
	"context"
	"math"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/rest"
	"aorta/web/wire"
)

// Series answers for what was counted over time.
type Series interface {
	// Series gives the steps in which anything was counted, in order.
	Series(ctx context.Context, q SeriesQuery) ([]SeriesPoint, error)
}

// SeriesQuery asks for the steps that begin in [From, To).
type SeriesQuery struct {
	App     string // id; empty: all apps together
	Release string // id; empty: all releases
	From    time.Time
	To      time.Time
	Step    time.Duration
}

// SeriesPoint is what was counted in one step.
type SeriesPoint struct {
	Time          int64     // unix seconds of its start
	Status        [6]uint64 // by class, 2 to 5
	Bytes         uint64
	P50, P95, P99 *float64 // ms
}

// span is how a range is shown: in the steps that are kept of that time.
type span struct{ length, step time.Duration }

var spans = map[string]span{
	"10m": {10 * time.Minute, time.Second},
	"1h":  {time.Hour, time.Minute},
	"6h":  {6 * time.Hour, time.Minute},
	"24h": {24 * time.Hour, time.Minute},
	"2d":  {48 * time.Hour, time.Minute},
	"7d":  {7 * 24 * time.Hour, time.Hour},
	"90d": {90 * 24 * time.Hour, time.Hour},
}

// wholeStep is the step of all apps' last ten minutes: a graph of a thousand
// apps is computed once a step for everybody.
const wholeStep = 10 * time.Second

// counted is how long after a step its last lines may come in.
const counted = time.Second

// window is the time that the span shows now, from the start of a step. Seconds
// are shown once they are over; of a longer step also what it has so far, since
// an app's first hour would be empty until its end.
func (s span) window(now time.Time) (from, to time.Time) {
	to = now.Add(-counted)
	if s.step < time.Minute {
		to = to.Truncate(s.step)
	}
	last := to.Add(-1).Truncate(s.step)
	return last.Add(s.step - s.length), to
}

// fresh is how long what all apps have together is kept: a step, or less of one
// that is under way.
func (s span) fresh() time.Duration { return max(wholeStep, s.step/60) }

type appSeries struct {
	access.AppPath
	Range   string `query:"range" required:"true" enum:"10m,1h,6h,24h,2d,7d,90d"`
	Release string `query:"release" maxLength:"16" doc:"such as v12; all releases without it"`
}

type wholeSeries struct {
	Range string `query:"range" required:"true" enum:"10m,1h,6h,24h,2d,7d,90d"`
}

func (a *API) seriesRoutes(h *rest.API) {
	held := map[string]*heldSeries{}
	for name, shown := range spans {
		shown.step = max(shown.step, wholeStep)
		held[name] = &heldSeries{span: shown}
	}
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/apps/{app}/series", Summary: "Show an app's traffic over time", Role: access.Viewer, Subject: access.OnApp}, a.appSeries)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/series", Summary: "Show all apps' traffic over time", Role: access.Viewer, Subject: access.OnWorkspace},
		func(ctx context.Context, in *wholeSeries) (*rest.Reply[wire.Series], error) {
			return rest.OK(held[in.Range].get(time.Now(), func(q SeriesQuery) (wire.Series, error) { return a.series(ctx, q) }))
		})
}

// heldSeries keeps the whole cluster's series of a span while it is fresh. Whoever
// asks meanwhile waits for the first, and gets the same.
type heldSeries struct {
	span

	mu   sync.Mutex // guards what follows, also while it is computed
	held *wire.Series
	at   time.Time // when it was asked for, in whole times of being fresh
}

func (h *heldSeries) get(now time.Time, compute func(SeriesQuery) (wire.Series, error)) (wire.Series, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := now.Add(-counted).Truncate(h.fresh())
	if h.held != nil && h.at.Equal(at) {
		return *h.held, nil
	}
	from, to := h.window(now)
	s, err := compute(SeriesQuery{From: from, To: to, Step: h.step})
	if err == nil {
		h.held, h.at = &s, at
	}
	return s, err
}

func (a *API) appSeries(ctx context.Context, in *appSeries) (*rest.Reply[wire.Series], error) {
	app := in.App()
	shown := spans[in.Range]
	q := SeriesQuery{App: string(app.ID), Step: shown.step}
	q.From, q.To = shown.window(time.Now())
	if in.Release != "" {
		number, err := cluster.ParseReleaseLabel("release", in.Release)
		if err != nil {
			return nil, err
		}
		release, err := a.store.ReleaseByNumber(ctx, app, number)
		if err != nil {
			return nil, err
		}
		q.Release = string(release.ID)
	}
	s, err := a.series(ctx, q)
	if err != nil {
		return nil, err
	}
	s.Marks, err = a.marks(ctx, app, q)
	return rest.OK(s, err)
}

func (a *API) series(ctx context.Context, q SeriesQuery) (wire.Series, error) {
	points, err := a.Series.Series(ctx, q)
	if err != nil {
		return wire.Series{}, err
	}
	return columns(q, points), nil
}

// maxMarks bounds the releases that a graph shows.
const maxMarks = 200

// marks are the releases that were made in the time shown and did not fail,
// oldest first.
func (a *API) marks(ctx context.Context, app cluster.App, q SeriesQuery) ([]wire.SeriesMark, error) {
	list, err := a.store.Releases(ctx, app.ID, 0, maxMarks)
	marks := []wire.SeriesMark{}
	for i := len(list) - 1; i >= 0; i-- {
		if r := list[i]; !r.CreatedAt.Before(q.From) && r.State != cluster.ReleaseFailed {
			marks = append(marks, wire.SeriesMark{T: r.CreatedAt.Unix(), Release: r.Label()})
		}
	}
	return marks, err
}

// columns spreads points over all steps of the time shown. What is kept in
// longer steps is shown at the step in which it begins.
func columns(q SeriesQuery, points []SeriesPoint) wire.Series {
	step, from := int64(q.Step/time.Second), q.From.Unix()
	to := q.To.Add(time.Second - 1).Unix() // a step under way has at least a second
	n := int((to - from + step - 1) / step)
	s := wire.Series{
		Step: step, From: from, To: to, T: make([]int64, n), Bytes: make([]*uint64, n), Marks: []wire.SeriesMark{},
		S2xx: make([]*uint64, n), S3xx: make([]*uint64, n), S4xx: make([]*uint64, n), S5xx: make([]*uint64, n),
		P50: make([]*float64, n), P95: make([]*float64, n), P99: make([]*float64, n),
	}
	for i := range s.T {
		s.T[i] = from + int64(i)*step
	}
	for _, p := range points {
		i := int((p.Time - from) / step)
		if p.Time < from || i >= n {
			continue
		}
		s.S2xx[i], s.S3xx[i], s.S4xx[i], s.S5xx[i] = &p.Status[2], &p.Status[3], &p.Status[4], &p.Status[5]
		s.Bytes[i], s.P50[i], s.P95[i], s.P99[i] = &p.Bytes, tenth(p.P50), tenth(p.P95), tenth(p.P99)
	}
	return s
}

func tenth(ms *float64) *float64 {
	if ms == nil {
		return nil
	}
	v := math.Round(*ms*10) / 10
	return &v
}
