package live

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/pacemaker/cluster"
	"aorta/web/view"
)

func TestParseTopics_ReadsNamesQueriesAndPositions(t *testing.T) {
	id := string(cluster.NewID())

	got, err := parseTopics("overview,apps,apps,app:shop,job:" + id + "@5%2C" + id + "%3D7-0,logs:shop?n=7&type=web&search=a%2Cb%40c&instance=x&since=2h@42")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"overview", "apps", "app:shop"}; !slices.Equal(got.shared, want) {
		t.Errorf("got %q, want %q", got.shared, want)
	}
	if j := got.job; j == nil || j.name != "job:"+id || j.id != id || j.after.String() != "5,"+id+"=7-0" {
		t.Errorf("got %+v, want the job behind its mark", j)
	}
	want := &logsTopic{name: "logs:shop", app: "shop", after: 42, query: view.LogQuery{N: 7, Type: "web", Search: "a,b@c", Instance: "x", Since: "2h"}}
	if diff := cmp.Diff(got.logs, want, cmp.AllowUnexported(logsTopic{})); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
}

func FuzzParseTopics_GivesKnownOnes(f *testing.F) {
	f.Add("overview,apps,jobs,app:shop")
	f.Add("job:0190@1-2,logs:shop?n=5&search=%2C@7")
	f.Add(",app:\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseTopics(text)
		if err != nil {
			return
		}
		if n := len(got.shared); n > maxTopics || (n == 0 && got.job == nil && got.logs == nil) {
			t.Errorf("%q: got %d topics, want 1 to %d", text, n, maxTopics)
		}
		for _, topic := range got.shared {
			name, ofApp := strings.CutPrefix(topic, topicApp)
			if (ofApp && cluster.ValidateName("x", name) != nil) || strings.ContainsAny(topic, "\n\r ") {
				t.Errorf("%q: got %q", text, topic)
			}
		}
		if l := got.logs; l != nil && (cluster.ValidateName("x", l.app) != nil || l.query.N < 0 || l.query.N > maxLines || len(l.query.Search) > maxSearch) {
			t.Errorf("%q: got the log %+v", text, l)
		}
	})
}
