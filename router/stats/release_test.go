package stats

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Two releases share a minute at each change: what one answered is not the other's.
func TestStore_ReleaseMinutesTellReleasesApart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	now := time.Now()
	var hits []Hit
	add := func(ago time.Duration, release string, status, n int) {
		for range n {
			h := hit(now.Add(-ago))
			h.Release, h.Status = release, status
			hits = append(hits, h)
		}
	}
	add(2*time.Minute, release1, 500, 7) // too old
	add(50*time.Second, release1, 500, 60)
	add(40*time.Second, release1, 200, 20)
	add(30*time.Second, "", 503, 5) // answered by the router
	add(20*time.Second, release2, 200, 30)
	add(10*time.Second, release2, 500, 3)
	r.commitEach(hits)

	before, err := r.store.ReleaseMinutes(t.Context(), now, map[string]string{appA: release1})
	if err != nil {
		t.Fatalf("got %v, want none", err)
	}
	after, err := r.store.ReleaseMinutes(t.Context(), now, map[string]string{appA: release2, router1: release1})
	if err != nil {
		t.Fatalf("got %v, want none", err)
	}

	if diff := cmp.Diff(map[string]Answers{appA: {Requests: 80, Errors: 60}}, before); diff != "" {
		t.Errorf("the first release: - want + got\n%s", diff)
	}
	if diff := cmp.Diff(map[string]Answers{appA: {Requests: 33, Errors: 3}, router1: {}}, after); diff != "" {
		t.Errorf("the second release: - want + got\n%s", diff)
	}
}
