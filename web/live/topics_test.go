package live_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"aorta/web/internal/rig"
)

func TestLive_RefusesWhatIsNoTopic(t *testing.T) {
	r := rig.New(t)

	for _, topics := range []string{
		"x", "", "apps,", "app:", "app:Shop", "app:a--b", "app:../x", strings.Repeat("apps,", 200), "app:a,app:b,app:c,app:d,app:e,app:f,app:g,app:h,app:i",
		"node:", "node:N1", "node:../x", "node:" + strings.Repeat("a", 64),
		"job:", "job:a,job:b", "job:a@x", "job:a@%zz", "job:a@5,b=1-2", "job:" + strings.Repeat("a", 41),
		"logs:", "logs:Shop", "logs:a,logs:b", "logs:a@-1", "logs:a@1.5", "logs:a?n=-1", "logs:a?n=10001", "logs:a?x=1", "logs:a?type=web&type=x", "logs:a?n", "logs:a?;",
		"logs:a?search=" + strings.Repeat("a", 201),
	} {
		got := r.Do(rig.Ask{Method: http.MethodGet, Path: "/live?topics=" + url.QueryEscape(topics), Token: rig.ViewerToken})

		rig.WantProblem(t, got, http.StatusUnprocessableEntity)
	}
}
