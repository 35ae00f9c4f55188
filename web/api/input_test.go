package api_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/internal/rig"
	"aorta/web/rest"
)

// samples are good bodies of all writes that have one, by operation.
var samples = map[string]string{
	"post-session":                `{"token":"x"}`,
	"post-apps":                   `{"name":"newer"}`,
	"patch-apps-app":              `{"name":"shop","version":1}`,
	"post-apps-app-deploys":       `{"image":"img:2","message":"m"}`,
	"patch-apps-app-config":       `{"set":{"A":"1"},"unset":["B"]}`,
	"patch-apps-app-formation":    `{"types":{"web":{"quantity":1,"memory":67108864,"cpus":0.5,"require":["ssd"],"prefer":["region=eu"],"reset":["quantity"]}}}`,
	"post-apps-app-restart":       `{"instance":"web.12345678"}`,
	"post-apps-app-rebuild":       `{"release":"v1"}`,
	"post-apps-app-rollback":      `{"release":"v1"}`,
	"post-apps-app-builds-cancel": `{"build":"x"}`,
	"post-apps-app-domains":       `{"host":"shop.example.com"}`,
	"patch-apps-app-route":        `{"timeout":60,"idle_timeout":600,"max_body":1000}`,
	"patch-apps-app-grants":       `{"grant":["NET_RAW"],"revoke":["SYS_NICE"]}`,
	"post-node-tokens":            `{"name":"n9","roles":["heart"],"tags":{"zone":"a"},"uses":1,"expires":"1h"}`,
	"patch-nodes-node-tags":       `{"tags":{"zone":"a"}}`,
	"post-join":                   `{"name":"n9","roles":["heart"],"address":"10.0.0.9","hostname":"h","version":"1","request":"r","replace":true}`,
	"post-nodes-id-certificate":   `{"request":"r"}`,
	"post-nodes-id-hello":         `{"session":"s","hostname":"h","pid":1,"roles":["heart"],"address":"10.0.0.1","version":"1"}`,
	"post-nodes-id-report":        `{"session":"s","counter":1,"epoch":7,"revision":1,"roles":["heart"],"address":"10.0.0.1","load":{"score":0.5,"cpu":0,"cpus":1,"memory_used":1,"memory_total":2,"disk_used":0,"disk_free":1,"load_average1":0},"digest":"d","full":true,"instances":[{"id":"x","state":"running"}]}`,
	"post-nodes-id-output":        `[{"instance":"i","type":"web","release":"v1","from":"","to":"b","times":[1],"streams":["stdout"],"texts":["t"]}]`,
	"post-nodes-id-images":        `[{"id":"sha256:0a","names":["a:1"],"size":1,"created_at":"2026-01-02T15:04:05Z","origin":"built","app":"x","build":"y","in_use":true}]`,
	"post-nodes-id-router":        `{"epoch":1,"generation":1,"workers":2,"inflight":{"x":1}}`,
	"put-nodes-id-builds-build":   `{"state":"failed","image":{"ref":"r","id":"i"},"processes":[{"name":"web"}],"domains":["a.example.com"],"error":"e"}`,

	"post-nodes-id-instances-instance-port": `{"refused":20000}`,
	"patch-apps-app-build-secrets":          `{"set":{"A":"1"},"unset":["B"]}`,
	"post-apps-app-formation-plan":          `{"types":{"web":{"quantity":1,"require":["ssd"]}}}`,
	"post-apps-app-config-parse":            `{"text":"A=1"}`,
}

// target is an operation with what a request to it needs.
type target struct {
	op     *huma.Operation
	ask    rig.Ask
	sample string
}

// targets are all writes with a body, on things that exist.
func targets(r *rig.Rig) []target {
	r.TB.Helper()
	app, err := r.Pace.CreateApp(r.TB.Context(), "shop", "admin")
	testkit.Must(r.TB, err)
	r.NewRelease(app)
	node, token := r.NewNode("n1", cluster.RoleHeart, cluster.RoleBuilder)
	fill := strings.NewReplacer("{app}", "shop", "{node}", node.Name, "{id}", string(node.ID), "{instance}", string(cluster.NewID()), "{build}", string(cluster.NewID()), rest.Prefix, "")
	_, joining, err := r.Pace.Members.CreateToken(r.TB.Context(), cluster.JoinToken{}, 0, "admin")
	testkit.Must(r.TB, err)
	var list []target
	for _, side := range []struct {
		api   huma.API
		token string
		nodes bool
	}{{r.API, rig.AdminToken, false}, {r.NodesAPI, token, true}} {
		for op := range rest.Operations(side.api.OpenAPI()) {
			if op.RequestBody == nil {
				continue
			}
			sample, ok := samples[op.OperationID]
			if !ok {
				r.TB.Errorf("%s has no sample: add one", op.OperationID)
			}
			ask := rig.Ask{Method: op.Method, Path: fill.Replace(op.Path), Token: side.token, Nodes: side.nodes}
			if op.Path == rest.Prefix+"/join" {
				ask.Token = joining
			}
			list = append(list, target{op, ask, sample})
		}
	}
	slices.SortFunc(list, func(a, b target) int { return strings.Compare(a.op.OperationID, b.op.OperationID) })
	return list
}

// mutated gives the sample with one thing changed at each place in it, and
// the field that is then wrong.
func mutated(tb testing.TB, sample string) map[string]string {
	tb.Helper()
	out := map[string]string{}
	if strings.HasPrefix(sample, "[") {
		return out
	}
	var whole map[string]json.RawMessage
	testkit.Must(tb, json.Unmarshal([]byte(sample), &whole))
	for field := range whole {
		for kind, value := range map[string]string{
			"huge": "1e400", "long": strings.Repeat("9", 400), "null": "null", "list": "[[]]", "object": `{"x":{}}`, "bool": "true", "text": `"\u0000\ud800"`,
		} {
			changed := maps.Clone(whole)
			changed[field] = json.RawMessage(value)
			raw, err := json.Marshal(changed)
			testkit.Must(tb, err)
			out["body."+field+" "+kind] = string(raw)
		}
	}
	out["body.unheard unknown"] = `{"unheard":1,` + sample[1:]
	return out
}

func TestAPI_BadBodiesAreRefusedWithTheirField(t *testing.T) {
	t.Parallel()
	r := rig.New(t)

	for _, target := range targets(r) {
		cases := mutated(t, target.sample)
		for _, name := range slices.Sorted(maps.Keys(cases)) {
			a := target.ask
			a.Body = cases[name]

			got := r.Do(a)

			field, kind, _ := strings.Cut(name, " ")
			// Some values are good ones for some fields; nothing else may pass.
			good := kind == "null" || kind == "bool" || kind == "text" || kind == "long" || kind == "object"
			switch {
			case got.Status >= 500:
				t.Fatalf("%s, %s: got %d %s\n%s", target.op.OperationID, name, got.Status, got.Body, r.Log)
			case got.Status < 300 && good:
			case got.Status < 300:
				t.Errorf("%s, %s: got %d, want it refused: %s", target.op.OperationID, name, got.Status, a.Body)
			case kind == "unknown" || kind == "list":
				p := rig.WantProblem(t, got, http.StatusUnprocessableEntity)
				if len(p.Errors) == 0 || !strings.HasPrefix(p.Errors[0].Location, field) {
					t.Errorf("%s, %s: got %s, want %s named", target.op.OperationID, name, got.Body, field)
				}
			default:
				rig.WantProblem(t, got, got.Status)
			}
		}
	}
}

// firstKey is the first key of a sample.
var firstKey = regexp.MustCompile(`^(\[?)\{"(\w+)":`)

func TestAPI_BadBodiesAsAWhole(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	deep := strings.Repeat(`{"set":`, 20_000) + "1" + strings.Repeat("}", 20_000)

	for _, target := range targets(r) {
		long := int(target.op.MaxBodyBytes) + 100<<10
		for name, c := range map[string]struct {
			body, kind string
		}{
			"empty":      {"", "application/json"},
			"null":       {"null", "application/json"},
			"text":       {`"x"`, "application/json"},
			"number":     {"1e999", "application/json"},
			"torn":       {target.sample[:len(target.sample)-2], "application/json"},
			"two":        {target.sample + target.sample, "application/json"},
			"not UTF-8":  {"{\"name\":\"\xff\xfe\"}", "application/json"},
			"deep":       {deep, "application/json"},
			"repeated":   {firstKey.ReplaceAllString(target.sample, `$1{"$2":null,"$2":`), "application/json"},
			"upper case": {firstKey.ReplaceAllStringFunc(target.sample, strings.ToUpper), "application/json"},
			"other type": {target.sample, "application/xml"},
			"long":       {`{"name":"` + strings.Repeat("x", long) + `"}`, "application/json"},
			"long space": {strings.Repeat(" ", long) + target.sample, "application/json"},
		} {
			a := target.ask
			a.Body, a.Header = c.body, map[string]string{"Content-Type": c.kind}
			if a.Body == "" {
				a.Header = nil
			}

			got := r.Do(a)

			if name == "upper case" && rest.RouteOf(target.op).Bulk {
				continue // of nodes, read once
			}
			if name == "null" && target.sample[0] == '[' {
				continue // no items
			}
			if got.Status < 400 || got.Status >= 500 {
				t.Errorf("%s, %s: got %d %.300s, want it refused", target.op.OperationID, name, got.Status, got.Body)
			}
			rig.WantProblem(t, got, got.Status)
		}
	}
}

func TestAPI_BadValuesAreRefusedWithTheirField(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	r.NewRelease(app)

	for _, c := range []struct{ method, path, body, field string }{
		{"POST", "/apps", `{"name":"Shop"}`, "body.name"},
		{"POST", "/apps", `{"name":"../x"}`, "body.name"},
		{"POST", "/apps", `{"name":"one","Name":"two"}`, "body.Name"},
		{"PATCH", "/apps/shop/config", `{"set":{"B":"1"},"SET":{"B":"2"}}`, "body.SET"},
		{"PATCH", "/apps/shop/config", `{"set":{"A":"x"},"unset":["B","A"]}`, "body.unset[1]"},
		{"PATCH", "/apps/shop/build-secrets", `{"set":{"A":"x"},"unset":["A"]}`, "body.unset[0]"},
		{"PATCH", "/apps/shop", `{"name":"a--b"}`, "body.name"},
		{"DELETE", "/apps/shop?confirm=other", ``, "query.confirm"},
		{"DELETE", "/apps/shop", ``, "query.confirm"},
		{"POST", "/apps/shop/deploys", `{"image":"-v /:/x"}`, "body.image"},
		{"PATCH", "/apps/shop/config", `{"set":{"PORT":"1"}}`, "body.set.PORT"},
		{"PATCH", "/apps/shop/config", `{"set":{"A":"a\u0000"}}`, "body.set.A"},
		{"PATCH", "/apps/shop/config", `{"unset":["A","1"]}`, "body.unset[1]"},
		{"PATCH", "/apps/shop/config", `{}`, "body.set"},
		{"PATCH", "/apps/shop/formation", `{"types":{"web":{"quantity":-1}}}`, "body.types.web.quantity"},
		{"PATCH", "/apps/shop/formation", `{"types":{"web":{"quantity":1001}}}`, "body.types.web.quantity"},
		{"PATCH", "/apps/shop/formation", `{"types":{"web":{"memory":1}}}`, "body.types.web.memory"},
		{"PATCH", "/apps/shop/formation", `{"types":{"web":{"cpus":0}}}`, "body.types.web.cpus"},
		{"PATCH", "/apps/shop/formation", `{"types":{"worker":{"quantity":1}}}`, "body.types.worker"},
		{"PATCH", "/apps/shop/formation", `{"types":{}}`, "body.types"},
		{"PATCH", "/apps/shop/grants", `{"grant":["SYS_ADMIN"]}`, "body.grant"},
		{"PATCH", "/apps/shop/grants", `{"grant":["CHOWN"]}`, "body.grant"},
		{"PATCH", "/apps/shop/grants", `{"revoke":["x"]}`, "body.revoke"},
		{"PATCH", "/apps/shop/grants", `{}`, "body.grant"},
		{"POST", "/apps/shop/rollback", `{"release":"v0"}`, "body.release"},
		{"GET", "/apps/shop/rollback?release=v0", "", "query.release"},
		{"POST", "/apps/shop/rebuild", `{"release":"v0"}`, "body.release"},
		{"POST", "/apps/shop/domains", `{"host":"localhost"}`, "body.host"},
		{"POST", "/apps/shop/domains", `{"host":"x.test.local"}`, "body.host"},
		{"POST", "/apps/shop/domains", `{"host":"*.test.local"}`, "body.host"},
		{"POST", "/node-tokens", `{"name":"N","roles":["heart"]}`, "body.name"},
		{"POST", "/node-tokens", `{"name":"n","roles":["king"]}`, "body.roles"},
		{"POST", "/node-tokens", `{"roles":["pacemaker"]}`, "body.roles"},
		{"POST", "/node-tokens", `{"uses":-1}`, "body.uses"},
		{"POST", "/node-tokens", `{"expires":"31d"}`, "body.expires"},
		{"POST", "/node-tokens", `{"tags":{"Z":"a"}}`, "body.tags"},
		{"GET", "/apps?limit=0", ``, "query.limit"},
		{"GET", "/apps?limit=99999999999999999999", ``, "query.limit"},
		{"GET", "/apps?cursor=A%00", ``, "query.cursor"},
		{"GET", "/apps?other=1", ``, "query.other"},
		{"GET", "/jobs?cursor=x", ``, "query.cursor"},
		{"GET", "/jobs?state=running", ``, "query.state"},
		{"GET", "/jobs?kind=build", ``, "query.kind"},
		{"GET", "/jobs?by=me", ``, "query.by"},
		{"GET", "/jobs?since=yesterday", ``, "query.since"},
		{"GET", "/jobs?until=-1h", ``, "query.until"},
		{"GET", "/jobs?since=1h&until=2h", ``, "query.until"},
		{"GET", "/jobs?attention=maybe", ``, "query.attention"},
		{"GET", "/nodes?cursor=-", ``, "query.cursor"},
		{"GET", "/apps/shop/releases?cursor=x", ``, "query.cursor"},
		{"GET", "/apps/shop/releases/x", ``, "path.release"},
		{"GET", "/apps/shop/domains?cursor=x", ``, "query.cursor"},
		{"GET", "/apps/shop/instances?cursor=x", ``, "query.cursor"},
		{"GET", "/apps/shop/stats?since=-1h", ``, "query.since"},
		{"GET", "/apps/shop/stats?release=1x", ``, "query.release"},
		{"GET", "/apps/shop/logs?since=yesterday", ``, "query.since"},
		{"GET", "/apps/shop/logs?n=-1", ``, "query.n"},
		{"GET", "/apps/" + strings.Repeat("x", 65), ``, "path.app"},
		{"GET", "/jobs/" + strings.Repeat("x", 41), ``, "path.id"},
	} {
		got := r.Do(rig.Ask{Method: c.method, Path: c.path, Token: rig.AdminToken, Body: c.body})

		p := rig.WantProblem(t, got, http.StatusUnprocessableEntity)
		if len(p.Errors) != 1 || p.Errors[0].Location != c.field {
			t.Errorf("%s %s %s: got %s, want %s named", c.method, c.path, c.body, got.Body, c.field)
		}
	}
}

func TestAPI_HostileNamesAreNotFound(t *testing.T) {
	t.Parallel()
	r := rig.New(t)

	for _, name := range []string{"%00", "%ff%fe", "%2e%2e", "..%2f..%2fetc", "a%0ab", "%25s", "'--", "{app}", "%F0%9F%98%80"} {
		for _, path := range []string{"/apps/", "/jobs/", "/nodes/"} {
			got := r.Do(rig.Ask{Method: "GET", Path: path + name, Token: rig.ViewerToken})

			if got.Status != http.StatusNotFound && got.Status != http.StatusUnprocessableEntity {
				t.Errorf("%s%s: got %d %s, want 404 or 422", path, name, got.Status, got.Body)
			}
		}
	}
}

func FuzzAPI_WritesNeverFailInside(f *testing.F) {
	r := rig.New(f)
	list := targets(r)
	for i, target := range list {
		f.Add(uint8(i), []byte(target.sample))
		for _, body := range mutated(f, target.sample) {
			f.Add(uint8(i), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, body []byte) {
		a := list[int(i)%len(list)].ask
		a.Body = string(body)

		got, err := r.Try(t.Context(), a)

		if err != nil || got.Status >= 500 {
			t.Errorf("%s %s %q: got %d %s, %v", a.Method, a.Path, body, got.Status, got.Body, err)
		}
	})
}
