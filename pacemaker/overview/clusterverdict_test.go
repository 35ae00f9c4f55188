package overview

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/pacemaker/cluster"
)

// app has a release that wants web instances, of which some run.
func app(name string, running, wanted int) App {
	a := App{App: cluster.App{ID: cluster.ID(name), Name: name}, Summary: Summary{
		Release: "v1", Running: running, Wanted: wanted, Missing: max(0, wanted-running), web: wanted, down: running == 0,
	}}
	return judged(a)
}

func judged(a App) App {
	a.Verdict = a.judge(false)
	return a
}

func TestVerdict_SaysHowThingsAre(t *testing.T) {
	empty := judged(App{App: cluster.App{Name: "new"}})
	scaling := app("shop", 1, 3)
	scaling.Operation = &cluster.Operation{Kind: cluster.OpScale, Turn: new(time.Time)}
	scaling = judged(scaling)
	deploying := app("b", 1, 1)
	deploying.Operation = &cluster.Operation{Kind: cluster.OpDeploy}
	deploying = judged(deploying)
	going := app("shop", 0, 1)
	going.Destroying = true
	full := app("shop", 2, 3)
	full.NoRoom = []NoRoom{{Type: "web", Count: 1, Reason: "n1 is draining", Next: "run aorta nodes undrain n1"}}
	ended := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		snapshot Snapshot
		faults   []Part
		severity Severity
		text     string
	}{
		"nothing yet":  {Snapshot{}, nil, SeverityOK, "No apps yet."},
		"one":          {Snapshot{Apps: []App{app("a", 1, 1)}}, nil, SeverityOK, "The one app is running."},
		"all":          {Snapshot{Apps: []App{app("a", 1, 1), deploying}}, nil, SeverityOK, "All 2 apps are running."},
		"not deployed": {Snapshot{Apps: []App{empty}}, nil, SeverityOK, "No apps are running, 1 not deployed yet."},
		"some": {
			Snapshot{Apps: []App{app("a", 1, 1), app("b", 0, 0), empty}},
			nil,
			SeverityOK, "1 of 3 apps running, 1 stopped, 1 not deployed yet.",
		},
		"at work": {
			Snapshot{Apps: []App{app("a", 1, 1)}, Open: []cluster.Operation{{Kind: cluster.OpDeploy, Title: "Deploy x to a"}, {Kind: cluster.OpRetire, Title: "Stop"}}},
			nil, SeverityOK, "The one app is running. Running: Deploy x to a.",
		},
		"scaling":    {Snapshot{Apps: []App{scaling}}, nil, SeverityOK, "The one app is running."},
		"destroying": {Snapshot{Apps: []App{going}}, nil, SeverityOK, "No apps yet."},
		"short":      {Snapshot{Apps: []App{app("shop", 1, 3)}}, nil, SeverityWarn, "shop: 1 of 3 instances running (see aorta logs -a shop)."},
		"no room": {
			Snapshot{Apps: []App{full}},
			nil,
			SeverityWarn, "1 web of shop finds no node: n1 is draining (run aorta nodes undrain n1).",
		},
		"failed job": {
			Snapshot{Attention: []cluster.Operation{{ID: "j", Title: "Deploy x to a", Error: "no image\nmore", EndedAt: &ended}}},
			nil, SeverityWarn, "Deploy x to a failed: no image",
		},
		"down": {
			Snapshot{Apps: []App{app("blog", 1, 3), app("shop", 0, 1)}},
			nil,
			SeverityBad, "shop does not serve: 0 of 1 instances running (see aorta logs -a shop). And 1 more.",
		},
		"parts": {
			Snapshot{},
			[]Part{{Part: cluster.Part{Name: "d", Fault: "The disk is nearly full.", Minor: true}}, {Part: cluster.Part{Name: "e"}}},
			SeverityWarn, "The disk is nearly full.",
		},
		"parts before what follows from them": {
			Snapshot{Apps: []App{app("shop", 0, 1)}},
			[]Part{{Part: cluster.Part{Name: "e", Fault: "The Docker engine does not answer."}}},
			SeverityBad, "The Docker engine does not answer. And 1 more.",
		},
	} {
		severity, text := verdictOf(c.snapshot, c.faults)

		if diff := cmp.Diff([]string{string(severity), text}, []string{string(c.severity), c.text}); diff != "" {
			t.Errorf("%s: got - want +\n%s", name, diff)
		}
	}
}

// verdictOf is the verdict while a node has these parts.
func verdictOf(g Snapshot, parts []Part) (Severity, string) {
	if parts != nil {
		g.Nodes = append(g.Nodes, Node{Node: cluster.Node{ID: "n", Name: "n"}, Parts: parts})
	}
	return g.Verdict(g.Concerns())
}

func TestConcerns_NameTheNodeWhereThereAreSeveral(t *testing.T) {
	since := time.Unix(1000, 0)
	fault := []Part{{cluster.Part{Kind: cluster.PartDisk, Name: "data disk", Fault: "The disk is full."}, since}}
	g := Snapshot{Nodes: []Node{
		{Node: cluster.Node{ID: "1", Name: "n1"}, Parts: fault},
		{Node: cluster.Node{ID: "2", Name: "n2"}, Parts: fault, Unheard: true},
		{Node: cluster.Node{ID: "3", Name: "n3"}, Unheard: true, Refused: "its certificate has expired"},
	}}

	concerns := g.Concerns()

	want := []Concern{
		{Severity: SeverityBad, Kind: "disk", ID: "data disk 1", Node: "n1", Text: "n1: The disk is full.", Since: since},
		{Severity: SeverityWarn, Kind: "node", ID: "2", Node: "n2", Text: "Node n2 is silent: check aortad and the network there; if the machine is lost for good, run aorta nodes remove n2."},
		{Severity: SeverityWarn, Kind: "node", ID: "3", Node: "n3", Text: "Node n3 is silent: it is refused when it comes (its certificate has expired), see the log of aortad there; if the machine is lost for good, run aorta nodes remove n3."},
	}
	if diff := cmp.Diff(want, concerns); diff != "" {
		t.Errorf("what a silent node said last is no news; got - want +\n%s", diff)
	}
}

// Only what lacks instances began when the last of them went: an app whose requests fail,
// or whose instances crash, may have changed long before.
func TestConcerns_GuessTheirBeginningWhereInstancesAreLacking(t *testing.T) {
	fails, crashes := app("b", 1, 1), app("c", 0, 1)
	fails.Answers = Answers{100, 98}
	crashes.Crashing = []cluster.Instance{{ID: "i1", Type: "web"}}
	g := Snapshot{Apps: []App{app("a", 0, 1), judged(fails), judged(crashes)}}

	got := map[string]bool{}
	for _, c := range g.Concerns() {
		got[c.App] = c.Lacks
	}

	if diff := cmp.Diff(map[string]bool{"a": true, "b": false, "c": false}, got); diff != "" {
		t.Errorf("lacks: - want + got\n%s", diff)
	}
}

func TestConcerns_HaveKeysOfTheirOwn(t *testing.T) {
	faults := []Part{{Part: cluster.Part{Kind: cluster.PartRedis, Name: "jobs Redis", Fault: "f"}}, {Part: cluster.Part{Kind: cluster.PartRedis, Name: "routes Redis", Fault: "f"}}}
	crashing := app("c", 1, 1)
	crashing.Crashing = []cluster.Instance{{ID: "i1", Type: "web"}, {ID: "i2", Type: "web"}}
	crashing = judged(crashing)
	stray := Node{Node: cluster.Node{ID: "m", Name: "m", Address: "10.0.0.2"}, Unknown: []cluster.ID{"x"}, Parts: faults}
	g := Snapshot{
		Apps:      []App{app("a", 0, 1), app("b", 1, 2), crashing},
		Nodes:     []Node{{Node: cluster.Node{ID: "n", Name: "n"}, Unheard: true, RouterSilent: true}, stray},
		Attention: []cluster.Operation{{ID: "j1", AppID: "a"}, {ID: "j2", AppID: "a"}},
	}
	keys := map[string]bool{}

	concerns := g.Concerns()
	for _, c := range concerns {
		keys[c.Key()] = true
	}

	if len(concerns) != 10 || len(keys) != 10 {
		t.Errorf("got %d concerns with %d keys, want 10 of each: %v", len(concerns), len(keys), keys)
	}
	if job := concerns[len(concerns)-1]; job.App != "a" {
		t.Errorf("got %+v, want the job with its app's name", job)
	}
}
