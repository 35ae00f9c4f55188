package agent

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"aorta/router/openresty"
)

// A router's table is as old as what the slower link of the two has brought: from the
// master to the replica, and from there to each worker.
func TestReporter_AgeIsThatOfTheSlowerLink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now().Add(-time.Minute)
		synced := func(ago ...time.Duration) (s openresty.Status) {
			for i, d := range ago {
				s.Workers = append(s.Workers, openresty.WorkerStatus{PID: i + 1, SyncedAt: float64(time.Now().Add(-d).UnixMilli()) / 1000})
			}
			return s
		}
		exiting := synced(time.Second, 9*time.Second)
		exiting.Workers[1].Exiting = true
		unborn := synced(time.Second, 0)
		unborn.Workers[1].SyncedAt = 0
		for what, c := range map[string]struct {
			status openresty.Status
			quiet  time.Duration
			err    error
			want   time.Duration
		}{
			"both are heard":                     {synced(0, time.Second), time.Second, nil, time.Second},
			"a worker reads nothing":             {synced(0, 40*time.Second), time.Second, nil, 40 * time.Second},
			"one that ends reads nothing":        {exiting, 0, nil, time.Second},
			"a worker has read nothing":          {unborn, 0, nil, time.Minute},
			"the replica hears nothing":          {synced(0), 30 * time.Second, nil, 30 * time.Second},
			"the replica has never heard a word": {synced(0), -time.Second, nil, time.Minute},
			"the replica hangs":                  {synced(20 * time.Second), 0, errors.New("timeout"), 20 * time.Second},
		} {
			r := &reporter{began: began, quiet: func(context.Context) (time.Duration, error) { return c.quiet, c.err }}
			if got := r.age(t.Context(), c.status); got != c.want {
				t.Errorf("%s: got %s, want %s", what, got, c.want)
			}
		}
	})
}
