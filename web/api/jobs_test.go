package api_test

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
	"aorta/web/internal/rig"
	"aorta/web/wire"
)

// asked makes an operation through the API and gives its id.
func asked(r *rig.Rig, method, path, body string) cluster.ID {
	r.TB.Helper()
	return cluster.ID(rig.As[wire.Accepted](r.TB, r.Admin(method, path, body)).Job)
}

// failed ends an operation without success.
func failed(r *rig.Rig, id cluster.ID) {
	r.TB.Helper()
	ended(r, id, cluster.OperationFailed)
}

func ended(r *rig.Rig, id cluster.ID, state cluster.OperationState) {
	r.TB.Helper()
	testkit.Must(r.TB, r.Store.EndOperation(r.TB.Context(), store.Ending{ID: id, State: state, Error: "its worker died 3 times while it ran", Tree: []byte("{}"), Log: []byte("[]")}))
	r.Jobs.Change(func() { delete(r.Jobs.Trees, string(id)) })
}

func job(r *rig.Rig, id cluster.ID) wire.Job {
	r.TB.Helper()
	return rig.As[wire.Job](r.TB, r.Admin("GET", "/jobs/"+string(id), ""))
}

// listed are the ids of a search, newest first, read page by page.
func listed(r *rig.Rig, query string) []string {
	r.TB.Helper()
	ids, next := []string{}, ""
	for {
		page := rig.As[wire.Page[wire.Job]](r.TB, r.Admin("GET", "/jobs?limit=2&"+query+"&cursor="+next, ""))
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
	r := rig.New(t)
	r.Admin("POST", "/apps", `{"name":"shop"}`)
	r.Admin("POST", "/apps", `{"name":"other"}`)
	first := asked(r, "POST", "/apps/shop/deploys", `{"image":"img:1"}`)
	failed(r, first)
	second := asked(r, "POST", "/apps/other/deploys", `{"image":"img:1"}`)
	testkit.Eventually(t, "another millisecond to begin", func() bool { return time.Now().After(second.Time().Add(2 * time.Millisecond)) })
	stop := asked(r, "POST", "/apps/shop/stop", "")
	destroy := asked(r, "DELETE", "/apps/other?confirm=other", "")
	gone := job(r, destroy).AppID
	testkit.Must(t, r.Store.DeleteApp(t.Context(), cluster.ID(gone)))
	at := func(moment time.Time) string { return url.QueryEscape(moment.Format(time.RFC3339Nano)) }

	for query, want := range map[string][]cluster.ID{
		"":                             {destroy, stop, second, first},
		"app=shop":                     {stop, first},
		"by=people":                    {destroy, stop, second, first},
		"by=aorta":                     {},
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
		got := listed(r, query)

		names := []string{}
		for _, id := range want {
			names = append(names, string(id))
		}
		if !slices.Equal(got, names) {
			t.Errorf("%q: got %v, want %v", query, got, names)
		}
	}
	counted := rig.As[wire.Page[wire.Job]](t, r.Admin("GET", "/jobs?app=shop&limit=1&count=true", ""))
	later := rig.As[wire.Page[wire.Job]](t, r.Admin("GET", "/jobs?app=shop&limit=1&count=true&cursor="+counted.Next, ""))
	if counted.Total != 2 || later.Total != 2 || len(counted.Items) != 1 || counted.Next == "" {
		t.Errorf("got the totals %d and %d with pages of %d, want 2 on both", counted.Total, later.Total, len(counted.Items))
	}
	if got := r.Do(rig.Ask{Method: "GET", Path: "/jobs?app=nothere1", Token: rig.ViewerToken}); got.Status != http.StatusNotFound {
		t.Errorf("an unknown app: got %d %s, want 404", got.Status, got.Body)
	}
}

func TestListJobs_NamesTheValuesThatItKnows(t *testing.T) {
	t.Parallel()
	r := rig.New(t)

	got := rig.WantProblem(t, r.Do(rig.Ask{Method: "GET", Path: "/jobs?kind=build", Token: rig.ViewerToken}), http.StatusUnprocessableEntity)

	for _, kind := range cluster.OperationKinds {
		r.Admin("GET", "/jobs?kind="+string(kind), "")
		if !strings.Contains(got.Detail, string(kind)) {
			t.Errorf("got %q, want %s among the allowed values", got.Detail, kind)
		}
	}
}

func TestRetryJob_IsANewJobThatNamesTheOld(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	r.Admin("POST", "/apps", `{"name":"shop"}`)
	old := asked(r, "POST", "/apps/shop/deploys", `{"image":"img:1"}`)
	path := "/jobs/" + string(old) + "/retry"
	early := r.Do(rig.Ask{Method: "POST", Path: path, Token: rig.DeveloperToken})
	failed(r, old)
	needy := job(r, old)

	first := r.Do(rig.Keyed("POST", path, "k", ""))
	again := r.Do(rig.Keyed("POST", path, "k", ""))
	twice := r.Do(rig.Ask{Method: "POST", Path: path, Token: rig.DeveloperToken})
	none := r.Do(rig.Ask{Method: "POST", Path: "/jobs/" + string(cluster.NewID()) + "/retry", Token: rig.DeveloperToken})

	id := cluster.ID(rig.As[wire.Accepted](t, first).Job)
	if first.Status != http.StatusAccepted || id == old || string(first.Body) != string(again.Body) {
		t.Errorf("got %d %s, then %s; want one new job", first.Status, first.Body, again.Body)
	}
	if j := job(r, id); j.RetryOf != string(old) || j.User != "dev" || j.Kind != "deploy" || j.App != "shop" || j.Attention {
		t.Errorf("got %+v, want a deploy of dev that repeats %s", j, old)
	}
	if !needy.Attention || needy.Error != "its worker died 3 times while it ran" || job(r, old).Attention {
		t.Errorf("got %+v, want it to need attention until it is retried, and to say why", needy)
	}
	rig.WantProblem(t, early, http.StatusConflict)
	rig.WantProblem(t, twice, http.StatusConflict)
	rig.WantProblem(t, none, http.StatusNotFound)
}

func TestDiscardJob_LetsGo(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	r.Admin("POST", "/apps", `{"name":"shop"}`)
	id := asked(r, "POST", "/apps/shop/deploys", `{"image":"img:1"}`)
	path := "/jobs/" + string(id) + "/discard"
	early := r.Do(rig.Ask{Method: "POST", Path: path, Token: rig.DeveloperToken})
	failed(r, id)

	first := r.Do(rig.Ask{Method: "POST", Path: path, Token: rig.DeveloperToken})
	second := r.Do(rig.Ask{Method: "POST", Path: path, Token: rig.AdminToken})
	retry := r.Do(rig.Ask{Method: "POST", Path: "/jobs/" + string(id) + "/retry", Token: rig.DeveloperToken})

	p := rig.WantProblem(t, early, http.StatusConflict)
	if !strings.Contains(p.Detail, "aorta jobs abort") {
		t.Errorf("got %q, want what to type", p.Detail)
	}
	for _, a := range []rig.Answer{first, second} {
		if j := rig.As[wire.Job](t, a); a.Status != http.StatusOK || j.ID != string(id) || j.DiscardedBy != "dev" || j.DiscardedAt == nil || j.Attention {
			t.Errorf("got %d %s, want the job, discarded by dev", a.Status, a.Body)
		}
	}
	rig.WantProblem(t, retry, http.StatusConflict)
	if got := listed(r, "attention=true"); len(got) != 0 {
		t.Errorf("got %v, want nothing that needs attention", got)
	}
}

func TestJobs_NameTheirForerunner(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	r.NewRelease(app)
	first := asked(r, "POST", "/apps/shop/deploys", `{"image":"img:1"}`)
	second := asked(r, "POST", "/apps/shop/deploys", `{"image":"img:2"}`)
	third := asked(r, "POST", "/apps/shop/deploys", `{"image":"img:3"}`)
	events := r.Open("/jobs/"+string(third)+"/events", "")
	defer events.Cut()

	told := waitTold(r, events)
	list := rig.As[wire.Page[wire.Job]](t, r.Admin("GET", "/jobs?state=open", "")).Items
	status := rig.As[wire.Status](t, r.Admin("GET", "/status", "")).OpenJobs
	failed(r, first)
	then := waitTold(r, events)

	for _, c := range []struct {
		id   cluster.ID
		want string
	}{{first, ""}, {second, string(first)}, {third, string(first)}} {
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
	if then.ID != string(second) || aheadOf(job(r, third)) != string(second) || aheadOf(job(r, second)) != "" {
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
func waitTold(r *rig.Rig, f *rig.Feed) wire.Ahead {
	r.TB.Helper()
	for {
		e, ok := f.Next()
		if !ok {
			r.TB.Fatal("the stream ended before it named a forerunner")
		}
		var j wire.Job
		if e.Name == "job" {
			testkit.Must(r.TB, json.Unmarshal([]byte(e.Data), &j))
		}
		if j.WaitsFor != nil {
			return *j.WaitsFor
		}
	}
}

func TestJobLog_OfAnEndedTreeIsWholeAndInOrder(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	w := r.NewWork()
	for i := range 2000 {
		w.Write(i%2, 10+i, 0)
	}
	w.End()

	got := rig.As[wire.Page[wire.JobLogLine]](t, r.Admin("GET", "/jobs/"+string(w.Op.ID)+"/log", "")).Items

	if len(got) != 2000 {
		t.Fatalf("got %d lines, want 2000", len(got))
	}
	for i, l := range got {
		if l.Job != w.Jobs[i%2] || l.Text != fmt.Sprintf("job %d at %d-0", i%2, 10+i) || l.Time.UnixMilli() != int64(10+i) {
			t.Fatalf("line %d: got %+v", i, l)
		}
	}
}

// Whoever asks too often is told, and the status stays short.
func TestJobs_OfAnAppAreBounded(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	r.Admin("POST", "/apps", `{"name":"shop"}`)
	deploy := func() rig.Answer {
		return r.Do(rig.Ask{Method: "POST", Path: "/apps/shop/deploys", Token: rig.DeveloperToken, Body: `{"image":"img:1"}`})
	}
	for range store.MaxOpen {
		if got := deploy(); got.Status != http.StatusAccepted {
			t.Fatalf("got %d %s", got.Status, got.Body)
		}
	}

	refused := deploy()
	status := rig.As[wire.Status](t, r.Admin("GET", "/status", ""))

	p := rig.WantProblem(t, refused, http.StatusTooManyRequests)
	if refused.Header.Get("Retry-After") == "" || !strings.Contains(p.Detail, "aorta jobs -a shop") {
		t.Errorf("got %v %q, want when and how to go on", refused.Header, p.Detail)
	}
	if len(status.OpenJobs) != 20 || status.OpenJobsCount != store.MaxOpen || status.OpenJobs[0].WaitsFor != nil {
		t.Errorf("got %d of %d open jobs, want 20 of %d, the one that has its turn among them", len(status.OpenJobs), status.OpenJobsCount, store.MaxOpen)
	}
}
