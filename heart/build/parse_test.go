package build

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/pacemaker/cluster"
)

func TestParseProcfile_ReadsTypesInOrder(t *testing.T) {
	got, err := ParseProcfile([]byte("# comment\r\nweb: ./server -p $PORT\r\n\nworker:./work: now\n"))

	want := []cluster.ProcessType{{Name: "web", Command: "./server -p $PORT"}, {Name: "worker", Command: "./work: now"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestParseProcfile_NamesWhatIsWrongAndWhere(t *testing.T) {
	cases := map[string]string{
		"":                 "names no process type",
		"web ./server":     "Procfile:1: \"web ./server\" is not of the form",
		"web: a\nWeb: b":   "Procfile:2: \"Web\" is not a name",
		"web: a\n\nweb: b": "Procfile:3: process type web is there already, in line 1",
		"web:   ":          "Procfile:1: the command is empty",
		"web: \xff":        "not text",
		"web: " + strings.Repeat("x", maxCommand+1): "limit is 8192",
	}
	for text, want := range cases {
		if _, err := ParseProcfile([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", text, err, want)
		}
	}
}

const fullManifest = `
processes:
  web:
    command: ./server
    quantity: 2
    memory: 256m
    cpus: 0.5
    stop_grace: 45s
    health: {path: /healthz, status: 204, start_timeout: 90s, interval: 2s}
  worker: {quantity: 0}
domains: [shop.example.com]
`

func TestParseManifest_ReadsAllThatIsSupported(t *testing.T) {
	got, err := ParseManifest([]byte(fullManifest))

	two, none := 2, 0
	want := Manifest{Domains: []string{"shop.example.com"}, Processes: []cluster.ProcessType{
		{
			Name: "web", Command: "./server", Quantity: &two, Limits: cluster.Limits{Memory: 256 << 20, CPUs: 0.5}, StopGrace: 45 * time.Second,
			Health: cluster.Health{Path: "/healthz", Status: 204, StartTimeout: 90 * time.Second, Interval: 2 * time.Second},
		},
		{Name: "worker", Quantity: &none},
	}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestParseManifest_NamesWhatIsWrongAndWhere(t *testing.T) {
	cases := map[string]string{
		"processes:\n  web:\n    colour: red\n":         "[3:5] unknown field \"colour\"",
		"proceses: {}\n":                                "unknown field \"proceses\"",
		"domains: []\nrelease: ./migrate\n":             "aorta.yml:2: release is not supported yet",
		"processes:\n  db:\n    volumes: [data:/var]\n": "aorta.yml:3: processes.db.volumes is not supported yet",
		"processes:\n  web: {tags: {require: [ssd]}}\n": "processes.web.tags is not supported yet",
		"cron:\n  - {schedule: x}\n":                    "cron is not supported yet",
		"processes: {web: {memory: lots}}\n":            "processes.web.memory: \"lots\" is not a size",
		"processes: {web: {memory: 1k}}\n":              "processes.web.memory: 1024 bytes is outside",
		"processes: {web: {cpus: -1}}\n":                "processes.web.cpus",
		"processes: {web: {stop_grace: 5}}\n":           "processes.web.stop_grace: \"5\" is not a time",
		"processes: {web: {stop_grace: 1h}}\n":          "stop_grace",
		"processes: {web: {quantity: 5000}}\n":          "processes.web.quantity",
		"processes: {web: {health: {path: nope}}}\n":    "processes.web.health.path",
		"processes: {Web: {}}\n":                        "is not a name",
		"domains: [localhost]\n":                        "domains[0]: \"localhost\" is not a hostname",
		"processes: [web]\n":                            "aorta.yml",
		"a: &a [x]\nb: *c\n":                            "aorta.yml",
	}
	for text, want := range cases {
		_, err := ParseManifest([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || cluster.CodeOf(err) != cluster.CodeInvalid {
			t.Errorf("%q: got %v, want invalid with %q", text, err, want)
		}
	}
}

func TestDeclared_MergesTheFiles(t *testing.T) {
	d := declared{
		procfile: []byte("web: ./a\nworker: ./b\nrelease: ./m\n"),
		appJSON:  []byte(`{"name": "x", "formation": {"worker": {"quantity": 3, "size": "big"}, "other": {"quantity": 1}}}`),
		manifest: []byte("processes: {web: {memory: 64m}, clock: {command: ./c}, worker: {cpus: 2}}"),
	}

	got, err := d.resolve(false)

	three := 3
	want := []cluster.ProcessType{
		{Name: "web", Command: "./a", Limits: cluster.Limits{Memory: 64 << 20}},
		{Name: "worker", Command: "./b", Quantity: &three, Limits: cluster.Limits{CPUs: 2}},
		{Name: "release", Command: "./m"},
		{Name: "clock", Command: "./c"},
	}
	if diff := cmp.Diff(want, got.processes); err != nil || diff != "" || len(got.warnings) != 2 {
		t.Errorf("%v, warnings %q, -want +got:\n%s", err, got.warnings, diff)
	}
}

func TestDeclared_TakesTheImagesCommandAsWeb(t *testing.T) {
	got, err := declared{}.resolve(true)
	if err != nil || len(got.processes) != 1 || got.processes[0].Name != "web" || got.processes[0].Command != "" {
		t.Errorf("got %+v, %v; want web with the image's own command", got.processes, err)
	}

	if _, err := (declared{}).resolve(false); err == nil || !strings.Contains(err.Error(), "add CMD to the Dockerfile") {
		t.Errorf("nothing to run: got %v, want an error with a next step", err)
	}
	lonely := declared{manifest: []byte("processes: {worker: {}}")}
	if _, err := lonely.resolve(true); err == nil || !strings.Contains(err.Error(), "processes.worker: has no command") {
		t.Errorf("a type without a command: got %v", err)
	}
}

func FuzzProcfile(f *testing.F) {
	f.Add([]byte("web: ./server\n"))
	f.Add([]byte("a: b\r\n#\n\x00:"))
	f.Fuzz(func(t *testing.T, data []byte) {
		types, err := ParseProcfile(data)
		if err != nil {
			return
		}
		for _, p := range types {
			if err := p.Validate("p"); err != nil || p.Command == "" {
				t.Errorf("let %+v in: %v", p, err)
			}
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(fullManifest))
	f.Add([]byte("processes: {web: {health: {path: /}}}\ndomains: [a.b]"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest(data)
		if err != nil {
			return
		}
		for _, p := range m.Processes {
			if err := p.Validate("p"); err != nil {
				t.Errorf("let %+v in: %v", p, err)
			}
		}
	})
}

func FuzzAppJSON(f *testing.F) {
	f.Add([]byte(`{"formation": {"web": {"quantity": 2}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ParseAppJSON(data)
		for name, n := range got {
			if err == nil && (cluster.ValidateName("n", name) != nil || cluster.ValidateQuantity("q", n) != nil) {
				t.Errorf("let %q: %d in", name, n)
			}
		}
	})
}
