package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/wire"
)

// asked makes an operation through the API and gives its id.
func (r *rig) asked(method, path, body string) cluster.ID {
	r.tb.Helper()
	return cluster.ID(as[wire.Accepted](r.tb, r.admin(method, path, body)).Job)
}

// failed ends an operation without success.
func (r *rig) failed(id cluster.ID) {
	r.tb.Helper()
	r.ended(id, cluster.OperationFailed)
}

func (r *rig) ended(id cluster.ID, state cluster.OperationState) {
	r.tb.Helper()
	must(r.tb, r.store.EndOperation(r.tb.Context(), store.Ending{ID: id, State: state, Error: "its worker died 3 times while it ran", Tree: []byte("{}"), Log: []byte("[]")}))
	r.jobs.change(func() { delete(r.jobs.trees, string(id)) })
}

func (r *rig) job(id cluster.ID) wire.Job {
	r.tb.Helper()
	return as[wire.Job](r.tb, r.admin("GET", "/jobs/"+string(id), ""))
}

// listed are the ids of a search, newest first, read page by page.
func (r *rig) listed(query string) []string {
	r.tb.Helper()
	ids, next := []string{}, ""
	for {
		page := as[wire.Page[wire.Job]](r.tb, r.admin("GET", "/jobs?limit=2&"+query+"&cursor="+next, ""))
		for _, j := range page.Items {
			ids = append(ids, j.ID)
		}
		if next = page.Next; next == "" {
			return ids
		}
	}
}

func TestListJobs_FiltersAndPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.admin("POST", "/apps", `{"name":"shop"}`)
	r.admin("POST", "/apps", `{"name":"other"}`)
	first := r.asked("POST", "/apps/shop/deploys", `{"image":"img:1"}`)
	r.failed(first)
	second := r.asked("POST", "/apps/other/deploys", `{"image":"img:1"}`)
	testkit.Eventually(t, 5*time.Second, "another millisecond to begin", func() bool { return time.Now().After(second.Time().Add(2 * time.Millisecond)) })
	stop := r.asked("POST", "/apps/shop/stop", "")
	destroy := r.asked("DELETE", "/apps/other?confirm=other", "")
	gone := r.job(destroy).AppID
	must(t, r.store.DeleteApp(t.Context(), cluster.ID(gone)))
	at := func(moment time.Time) string { return url.QueryEscape(moment.Format(time.RFC3339Nano)) }

	for query, want := range map[string][]cluster.ID{
		"":                             {destroy, stop, second, first},
		"app=shop":                     {stop, first},
		"app=" + gone:                  {destroy, second},
		"app=" + gone[:35]:             {destroy, second},
		"kind=deploy":                  {second, first},
		"state=failed":                 {first},
		"state=open&kind=stop":         {stop},
		"app=shop&kind=deploy":         {first},
		"since=" + at(stop.Time()):     {destroy, stop},
		"until=" + at(stop.Time()):     {second, first},
		"since=1h":                     {destroy, stop, second, first},
		"until=1h":                     {},
		"since=1h&until=0s&app=shop":   {stop, first},
		"attention=true":               {first},
		"attention=true&kind=stop":     {},
		"attention=false&state=failed": {first},
	} {
		got := r.listed(query)

		names := []string{}
		for _, id := range want {
			names = append(names, string(id))
		}
		if !slices.Equal(got, names) {
			t.Errorf("%q: got %v, want %v", query, got, names)
		}
	}
	if got := r.do(ask{method: "GET", path: "/jobs?app=nothere1", token: viewerToken}); got.status != http.StatusNotFound {
		t.Errorf("an unknown app: got %d %s, want 404", got.status, got.body)
	}
}

func TestListJobs_NamesTheValuesThatItKnows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	kinds := []cluster.OperationKind{
		cluster.OpDeploy, cluster.OpRelease, cluster.OpScale, cluster.OpRestart, cluster.OpStop,
		cluster.OpRetire, cluster.OpReplace, cluster.OpDestroy, cluster.OpPrune,
	}

	got := wantProblem(t, r.do(ask{method: "GET", path: "/jobs?kind=build", token: viewerToken}), http.StatusUnprocessableEntity)

	for _, kind := range kinds {
		r.admin("GET", "/jobs?kind="+string(kind), "")
		if !strings.Contains(got.Detail, string(kind)) {
			t.Errorf("got %q, want %s among the allowed values", got.Detail, kind)
		}
	}
}

func TestRetryJob_IsANewJobThatNamesTheOld(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.admin("POST", "/apps", `{"name":"shop"}`)
	old := r.asked("POST", "/apps/shop/deploys", `{"image":"img:1"}`)
	path := "/jobs/" + string(old) + "/retry"
	early := r.do(ask{method: "POST", path: path, token: developerToken})
	r.failed(old)
	needy := r.job(old)

	first := r.do(keyed("POST", path, "k", ""))
	again := r.do(keyed("POST", path, "k", ""))
	twice := r.do(ask{method: "POST", path: path, token: developerToken})
	none := r.do(ask{method: "POST", path: "/jobs/" + string(cluster.NewID()) + "/retry", token: developerToken})

	id := cluster.ID(as[wire.Accepted](t, first).Job)
	if first.status != http.StatusAccepted || id == old || string(first.body) != string(again.body) {
		t.Errorf("got %d %s, then %s; want one new job", first.status, first.body, again.body)
	}
	if j := r.job(id); j.RetryOf != string(old) || j.User != "dev" || j.Kind != "deploy" || j.App != "shop" || j.Attention {
		t.Errorf("got %+v, want a deploy of dev that repeats %s", j, old)
	}
	if !needy.Attention || needy.Error != "its worker died 3 times while it ran" || r.job(old).Attention {
		t.Errorf("got %+v, want it to need attention until it is retried, and to say why", needy)
	}
	wantProblem(t, early, http.StatusConflict)
	wantProblem(t, twice, http.StatusConflict)
	wantProblem(t, none, http.StatusNotFound)
}

func TestDiscardJob_LetsGo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.admin("POST", "/apps", `{"name":"shop"}`)
	id := r.asked("POST", "/apps/shop/deploys", `{"image":"img:1"}`)
	path := "/jobs/" + string(id) + "/discard"
	early := r.do(ask{method: "POST", path: path, token: developerToken})
	r.failed(id)

	first := r.do(ask{method: "POST", path: path, token: developerToken})
	second := r.do(ask{method: "POST", path: path, token: adminToken})
	retry := r.do(ask{method: "POST", path: "/jobs/" + string(id) + "/retry", token: developerToken})

	p := wantProblem(t, early, http.StatusConflict)
	if !strings.Contains(p.Detail, "aorta jobs abort") {
		t.Errorf("got %q, want what to type", p.Detail)
	}
	for _, a := range []answer{first, second} {
		if j := as[wire.Job](t, a); a.status != http.StatusOK || j.ID != string(id) || j.DiscardedBy != "dev" || j.DiscardedAt == nil || j.Attention {
			t.Errorf("got %d %s, want the job, discarded by dev", a.status, a.body)
		}
	}
	wantProblem(t, retry, http.StatusConflict)
	if got := r.listed("attention=true"); len(got) != 0 {
		t.Errorf("got %v, want nothing that needs attention", got)
	}
}

func TestJobs_NameTheirForerunner(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app, err := r.pace.CreateApp(t.Context(), "shop", "admin")
	must(t, err)
	r.newRelease(app)
	first := r.asked("POST", "/apps/shop/deploys", `{"image":"img:1"}`)
	second := r.asked("POST", "/apps/shop/deploys", `{"image":"img:2"}`)
	scale := r.asked("PATCH", "/apps/shop/formation", `{"types":{"web":{"quantity":3}}}`)
	events := r.open("/jobs/"+string(scale)+"/events", "")
	defer events.cut()

	told := r.waitTold(events)
	list := as[wire.Page[wire.Job]](t, r.admin("GET", "/jobs?state=open", "")).Items
	status := as[wire.Status](t, r.admin("GET", "/status", "")).OpenJobs
	r.failed(first)
	then := r.waitTold(events)

	for _, c := range []struct {
		id   cluster.ID
		want string
	}{{first, ""}, {second, string(first)}, {scale, string(first)}} {
		for where, jobs := range map[string][]wire.Job{"list": list, "status": status} {
			i := slices.IndexFunc(jobs, func(j wire.Job) bool { return j.ID == string(c.id) })
			if got := aheadOf(jobs[i]); got != c.want {
				t.Errorf("%s: got %s waiting for %q, want for %q", where, c.id, got, c.want)
			}
		}
	}
	if told.ID != string(first) || told.Title != "Deploy image img:1 to shop" || told.User != "admin" || told.Since.IsZero() {
		t.Errorf("got the event %+v, want the first deploy", told)
	}
	if then.ID != string(second) || aheadOf(r.job(scale)) != string(second) || aheadOf(r.job(second)) != "" {
		t.Errorf("got %+v after its end, want the second deploy, which waits for nobody", then)
	}
}

func aheadOf(j wire.Job) string {
	if j.WaitsFor == nil {
		return ""
	}
	return j.WaitsFor.ID
}

// waitTold reads on to an event that names a forerunner.
func (r *rig) waitTold(f *feed) wire.Ahead {
	r.tb.Helper()
	for {
		e, ok := f.next()
		if !ok {
			r.tb.Fatal("the stream ended before it named a forerunner")
		}
		var j wire.Job
		if e.name == "job" {
			must(r.tb, json.Unmarshal([]byte(e.data), &j))
		}
		if j.WaitsFor != nil {
			return *j.WaitsFor
		}
	}
}

func TestJobLog_OfAnEndedTreeIsWholeAndInOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.newWork()
	for i := range 2000 {
		w.write(i%2, 10+i, 0)
	}
	w.end()

	got := as[wire.Page[wire.JobLogLine]](t, r.admin("GET", "/jobs/"+string(w.op.ID)+"/log", "")).Items

	if len(got) != 2000 {
		t.Fatalf("got %d lines, want 2000", len(got))
	}
	for i, l := range got {
		if l.Job != w.jobs[i%2] || l.Text != fmt.Sprintf("job %d at %d-0", i%2, 10+i) || l.Time.UnixMilli() != int64(10+i) {
			t.Fatalf("line %d: got %+v", i, l)
		}
	}
}
