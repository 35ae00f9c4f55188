package pacemaker

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/pacemaker/cluster"
)

func app(name string, state AppState, running, wanted int) AppGlance {
	return AppGlance{App: cluster.App{ID: cluster.ID(name), Name: name}, State: state, Release: "v1", Running: running, Wanted: wanted, Missing: max(0, wanted-running)}
}

func TestVerdict_SaysHowThingsAre(t *testing.T) {
	empty := AppGlance{App: cluster.App{Name: "new"}, State: AppEmpty}
	scaling := app("shop", AppServing, 1, 3)
	scaling.Operation = &cluster.Operation{Kind: cluster.OpScale}
	going := app("shop", AppFailed, 0, 1)
	going.Destroying = true
	ended := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		glance Glance
		away   []string
		word   Word
		text   string
	}{
		"nothing yet":  {Glance{}, nil, WordOK, "No app yet."},
		"one":          {Glance{Apps: []AppGlance{app("a", AppServing, 1, 1)}}, nil, WordOK, "The one app serves."},
		"all":          {Glance{Apps: []AppGlance{app("a", AppServing, 1, 1), app("b", AppDeploying, 1, 1)}}, nil, WordOK, "All 2 apps serve."},
		"not deployed": {Glance{Apps: []AppGlance{empty}}, nil, WordOK, "No app serves, 1 not deployed yet."},
		"some": {
			Glance{Apps: []AppGlance{app("a", AppServing, 1, 1), app("b", AppStopped, 0, 0), empty}},
			nil,
			WordOK, "1 of 3 apps serve, 1 stopped, 1 not deployed yet.",
		},
		"at work": {
			Glance{Apps: []AppGlance{app("a", AppServing, 1, 1)}, Open: []cluster.Operation{{Kind: cluster.OpDeploy, Title: "Deploy x to a"}, {Kind: cluster.OpRetire, Title: "Stop"}}},
			nil, WordOK, "The one app serves. At work: Deploy x to a.",
		},
		"scaling":    {Glance{Apps: []AppGlance{scaling}}, nil, WordOK, "The one app serves."},
		"destroying": {Glance{Apps: []AppGlance{going}}, nil, WordOK, "No app yet."},
		"short":      {Glance{Apps: []AppGlance{app("shop", AppServing, 1, 3)}}, nil, WordWarn, "shop lacks 2 of 3 instances."},
		"failed job": {
			Glance{Attention: []cluster.Operation{{ID: "j", Title: "Deploy x to a", Error: "no image\nmore", EndedAt: &ended}}},
			nil, WordWarn, "Deploy x to a failed: no image",
		},
		"down": {
			Glance{Apps: []AppGlance{app("blog", AppServing, 1, 3), app("shop", AppFailed, 0, 1)}},
			nil,
			WordBad, "shop has no instance that serves: see why with aorta logs -a shop. And 1 more.",
		},
		"redis": {Glance{}, []string{"jobs Redis"}, WordBad, "The jobs Redis does not answer: look at its log."},
	} {
		word, text := c.glance.Verdict(c.glance.Concerns(c.away))

		if diff := cmp.Diff([]string{string(word), text}, []string{string(c.word), c.text}); diff != "" {
			t.Errorf("%s: got - want +\n%s", name, diff)
		}
	}
}

func TestConcerns_AreToldApart(t *testing.T) {
	crashing := app("c", AppServing, 1, 1)
	crashing.Crashing = []cluster.Instance{{ID: "i1", Type: "web"}, {ID: "i2", Type: "web"}}
	stray := NodeGlance{Node: cluster.Node{ID: "m", Name: "m", Address: "10.0.0.2"}, Unknown: []cluster.ID{"x"}}
	g := Glance{
		Apps:      []AppGlance{app("a", AppFailed, 0, 1), app("b", AppServing, 1, 2), crashing},
		Nodes:     []NodeGlance{{Node: cluster.Node{ID: "n", Name: "n", Address: "10.0.0.1"}, Unheard: true, RouterSilent: true}, stray},
		Attention: []cluster.Operation{{ID: "j1", AppID: "a"}, {ID: "j2", AppID: "a"}},
	}
	keys := map[string]bool{}

	concerns := g.Concerns([]string{"jobs Redis", "routes Redis"})
	for _, c := range concerns {
		keys[c.Key()] = true
	}

	if len(concerns) != 11 || len(keys) != 11 {
		t.Errorf("got %d concerns with %d keys, want 11 of each: %v", len(concerns), len(keys), keys)
	}
	if job := concerns[len(concerns)-1]; job.App != "a" {
		t.Errorf("got %+v, want the job with its app's name", job)
	}
}
