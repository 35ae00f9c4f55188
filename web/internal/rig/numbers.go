package rig

import (
	"context"
	"sync"
	"time"

	"aorta/web/api"
	"aorta/web/live"
)

// Numbers are what the test says.
type Numbers struct {
	mu      sync.Mutex // guards all below
	Recents map[string]live.Recent
	Points  []api.SeriesPoint
	Err     error
	Asked   []api.SeriesQuery
}

// Recent is part of live.Recents.
func (f *Numbers) Recent(context.Context, time.Time) (map[string]live.Recent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Recents, f.Err
}

// Series is part of api.Series.
func (f *Numbers) Series(_ context.Context, q api.SeriesQuery) ([]api.SeriesPoint, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Asked = append(f.Asked, q)
	return f.Points, f.Err
}

// Set changes them while others read.
func (f *Numbers) Set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}
