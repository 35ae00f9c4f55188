package live_test

import (
	"net/http"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/internal/rig"
)

// A reader with as many streams of a kind as one may have is refused one more, and
// has its place again when one of them ends.
func TestStreams_AreBoundedOfEachReader(t *testing.T) {
	r := rig.New(t)
	_, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	w := r.NewWork()

	for kind, path := range map[string]string{"live": "/live?topics=jobs", "logs": "/apps/shop/logs/stream", "job": w.Path()} {
		var open []*rig.Feed
		for range 200 {
			open = append(open, r.Open(path, ""))
		}

		refused := r.Do(rig.Ask{Method: "GET", Path: path, Token: rig.ViewerToken})
		open[0].Cut()
		testkit.Eventually(t, "a place for one more", func() bool {
			again, _ := r.TryOpen(path, "")
			if again != nil {
				open[0] = again
			}
			return again != nil
		})
		for _, f := range open {
			f.Cut()
		}

		p := rig.WantProblem(t, refused, http.StatusServiceUnavailable)
		if !strings.Contains(p.Detail, "of you 200 of 200") {
			t.Errorf("%s: got %q, want the limit", kind, p.Detail)
		}
	}
}
