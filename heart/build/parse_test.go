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
		"web ./server":     "Procfile:1:1: \"web ./server\" is not of the form",
		"web: a\nWeb: b":   "Procfile:2:1: \"Web\" is not a name",
		"web: a\n\nweb: b": "Procfile:3:1: process type web is already in line 1",
		"web:   ":          "Procfile:1:1: the command is empty",
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
    tags: {require: [ssd, rack=r7, ssd], prefer: [region=eu]}
  worker: {quantity: 0, exclusive: true, stop_when_cut_off: true}
domains: [shop.example.com]
route: {timeout: 90s, idle_timeout: 2h, max_body: 50m}
build:
  dockerfile: ./docker/Dockerfile.prod
  context: app/
  target: web
  args: {NODE_ENV: production, PYTHON: 3.10, FAST: true, QUOTED: "a\u00e9: b", EMPTY: ""}
`

func TestParseManifest_ReadsAllThatIsSupported(t *testing.T) {
	got, err := ParseManifest([]byte(fullManifest))

	two, none := 2, 0
	timeout, idle, body := 90*time.Second, 2*time.Hour, int64(50<<20)
	route := cluster.RequestLimitsChange{Timeout: &timeout, IdleTimeout: &idle, MaxBody: &body}
	build := BuildKey{
		Dockerfile: "docker/Dockerfile.prod", Context: "app", Target: "web", Args: map[string]string{"NODE_ENV": "production", "PYTHON": "3.10", "FAST": "true", "QUOTED": "aé: b", "EMPTY": ""},
	}
	want := Manifest{Route: route, Build: build, Domains: []string{"shop.example.com"}, Processes: []cluster.ProcessType{
		{
			Name: "web", Command: "./server", Quantity: &two, Limits: cluster.Limits{Memory: 256 << 20, CPUs: 0.5}, StopGrace: 45 * time.Second,
			Health: cluster.Health{Path: "/healthz", Status: 204, StartTimeout: 90 * time.Second, Interval: 2 * time.Second},
			Tags:   cluster.Tags{Require: []cluster.Tag{{Key: "rack", Value: "r7"}, {Key: "ssd"}}, Prefer: []cluster.Tag{{Key: "region", Value: "eu"}}},
		},
		{Name: "worker", Quantity: &none, Exclusive: true, StopWhenCutOff: true},
	}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

// What other platforms' files say is the same here.
func TestParseManifest_TakesQuantitiesInEverySpelling(t *testing.T) {
	want, err := ParseManifest([]byte(fullManifest))
	if err != nil {
		t.Fatal(err)
	}
	for _, spelled := range [][]string{
		{"256m", "256MB"},
		{"256m", "256Mi"},
		{"256m", "0.25g"},
		{"256m", "'256 mb'"},
		{"256m", "268435456"},
		{"cpus: 0.5", "cpus: 500m"},
		{"cpus: 0.5", "cpus: '0.5'"},
		{"cpus: 0.5", "cpus: .5"},
		{"stop_grace: 45s", "stop_grace: 45 sec"},
		{"timeout: 90s", "timeout: 1.5 min"},
		{"idle_timeout: 2h", "idle_timeout: 2 hours"},
		{"50m", "50MiB"},
	} {
		got, err := ParseManifest([]byte(strings.Replace(fullManifest, spelled[0], spelled[1], 1)))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v, -want +got:\n%s", spelled[1], err, diff)
		}
	}
}

func TestParseManifest_NamesWhatIsWrongAndWhere(t *testing.T) {
	cases := map[string]string{
		"processes:\n  web:\n    colour: red\n":             "aorta.yml:3:5: unknown key \"colour\"",
		"proceses: {}\n":                                    "aorta.yml:1:1: unknown key \"proceses\"; did you mean \"processes\"?",
		"processes: {web: {cmd: x}}\n":                      "unknown key \"cmd\"; did you mean \"command\"?",
		"processes: {web: {stop-grace: 5s}}\n":              "unknown key \"stop-grace\"; did you mean \"stop_grace\"?",
		"env: {A: 1}\n":                                     "unknown key \"env\"; that is said elsewhere: aorta config set KEY=VALUE",
		"domains: []\nrelease: ./migrate\n":                 "aorta.yml:2:10: release: not supported yet",
		"processes:\n  db:\n    volumes: [data:/var]\n":     "aorta.yml:3:5: processes.db.volumes: not supported yet",
		"processes: {web: {tags: {require: [Ssd]}}}\n":      "processes.web.tags.require: \"Ssd\" is no tag: write it as KEY or KEY=VALUE",
		"processes: {web: {tags: {prefer: [eu=]}}}\n":       "processes.web.tags.prefer: \"eu=\" is no tag",
		"processes: {web: {tags: {require: ssd}}}\n":        "a list (such as [a, b])",
		"processes: {web: {tags: {avoid: [x]}}}\n":          "unknown key \"avoid\"",
		"cron:\n  - {schedule: x}\n":                        "cron: not supported yet",
		"processes: {web: {memory: lots}}\n":                "processes.web.memory: \"lots\" is not a size",
		"processes: {web: {memory: 1k}}\n":                  "processes.web.memory: 1k is outside 6m",
		"processes: {web: {cpus: -1}}\n":                    "cpus: \"-1\" is not a number of CPU cores",
		"processes: {web: {stop_grace: 5}}\n":               "processes.web.stop_grace: \"5\" is not a time",
		"processes: {web: {stop_grace: 1h}}\n":              "stop_grace",
		"processes: {web: {quantity: 5000}}\n":              "processes.web.quantity",
		"processes: {web: {exclusive: 1}}\n":                "exclusive",
		"processes: {db: {stop_when_cut_off: true}}\n":      "processes.db.stop_when_cut_off: db is not exclusive: what may run twice goes on where it was cut off (set exclusive: true, or leave it out)",
		"processes: {db: {quantity: 2, exclusive: true}}\n": "processes.db.quantity: db is exclusive: there is one instance of it at most, and 2 are asked for",
		"processes: {web: {health: {path: nope}}}\n":        "processes.web.health.path",
		"processes: {Web: {}}\n":                            "is not a name",
		"route: {timeout: soon}\n":                          "route.timeout: \"soon\" is not a time",
		"route: {timeout: 25h}\n":                           "route.timeout: 25h is not",
		"route: {timeout: 2h, idle_timeout: 1h}\n":          "route.timeout: 2h is more than the idle timeout",
		"route: {max_body: lots}\n":                         "route.max_body: \"lots\" is not a size",
		"route: {buffering: on}\n":                          "unknown key \"buffering\"",
		"domains: [localhost]\n":                            "domains[0]: \"localhost\" is not a hostname",
		"processes: [web]\n":                                "aorta.yml",
		"build:\n  context: ../x\n":                         "aorta.yml:2:12: build.context: \"../x\" leads out of the source",
		"build: {dockerfile: /etc/passwd}\n":                "aorta.yml:1:21: build.dockerfile: \"/etc/passwd\" leads out",
		"build: {dockerfile: .}\n":                          "name a file",
		"build: {target: a b}\n":                            "build.target: \"a b\" is not the name of a stage",
		"build:\n  args:\n    BUILDKIT_SYNTAX: x\n":         "aorta.yml:3:22: build.args.BUILDKIT_SYNTAX: names that begin with BUILDKIT_",
		"build: {args: {a-b: x}}\n":                         "build.args.a-b: is not a name",
		"build: {args: {A: [x]}}\n":                         "build.args.A: its value is not text",
		"build: {file: x}\n":                                "unknown key \"file\"",
		"build: here\n":                                     "aorta.yml:1:8: build: \"here\" is not a mapping",
		"cap_drop: [MAGIC]\n":                               "aorta.yml:1:1: cap_drop: \"MAGIC\" is not a capability",
		"processes: {web: {cap_add: [NET_RAW]}}\n":          "processes.web.cap_add: an app can't give itself rights",
		"processes: {web: {tmpfs: [tmp]}}\n":                "processes.web.tmpfs: \"tmp\" is not the path",
		"processes: {web: {tmpfs: [/a/../b]}}\n":            "processes.web.tmpfs: \"/a/../b\" is not the path",
		"tmpfs: [/proc/x]\n":                                "tmpfs: /proc/x is the kernel's",
		"tmpfs: [/dev/shm]\n":                               "shm_size sets its size",
		"tmpfs: [/a, /a/]\n":                                "tmpfs: /a stands there twice",
		"tmpfs: [/]\n":                                      "tmpfs: \"/\" is not the path",
		"read_only: yes\n":                                  "aorta.yml:1:12: read_only: \"yes\" is not true or false",
		"processes:\n  web:\n    read_only: 1\n":            "aorta.yml:3:16: read_only: \"1\" is not true or false",
		"processes: {web: {cpus: 1/2}}\n":                   "cpus: \"1/2\" is not a number",
		"processes: {web: {command: {a: b}}}\n":             "command: a mapping is not a list",
		"processes: {web: {command: [a, {b: c}]}}\n":        "a mapping is not a text",
		"processes: {web: {command: []}}\n":                 "web.command: the command names no program",
		"processes: {web: {command: ['']}}\n":               "web.command: the command names no program",
		"processes: {web: {command: [\"a\\0\"]}}\n":         "web.command: the command is not text",
		"build: {dockerfile: [a]}\n":                        "dockerfile: a list is not a text",
		"processes: {web: {quantity: 1.0}}\n":               "aorta.yml:1:29: quantity: \"1.0\" is not a whole number",
		"processes: {web: {quantity: '2'}}\n":               "quantity: \"2\" is not a whole number",
		"processes: {web: {quantity: 010}}\n":               "quantity: \"010\" is not a whole number in digits",
		"processes: {web: {quantity: 0x2}}\n":               "quantity: \"0x2\" is not a whole number",
		"ulimits: {nofile: 1024.0}\n":                       "nofile: \"1024.0\" is not a whole number",
		"cap_drop: ALL\n":                                   "cap_drop: \"ALL\" is not a list",
		"domains: shop.example.com\n":                       "domains: \"shop.example.com\" is not a list",
		"tmpfs: ['/a:mode=777']\n":                          "of options there is size alone",
		"tmpfs: ['/a:size=lots']\n":                         "\"lots\" is not a size",
		"tmpfs: {a: b}\n":                                   "aorta.yml",
		"ulimits: {nofile: 100000}\n":                       "ulimits.nofile: 100000 is outside 64 … 16384",
		"ulimits: {nofile: many}\n":                         "aorta.yml",
		"ulimits: {nproc: 10}\n":                            "ulimits.nproc: it counts the processes of one user in all containers",
		"ulimits: {files: 10}\n":                            "ulimits: \"files\" is none of the limits",
		"ulimits: {core: -1}\n":                             "ulimits.core: -1 is too little",
		"ulimits: {data: 0}\n":                              "ulimits.data: 0 is too little for a process to start: it takes 1048576 or more",
		"ulimits: {cpu: 0}\n":                               "ulimits.cpu: 0 is too little",
		"tmpfs: [/sbin]\n":                                  "tmpfs: /sbin holds what the engine puts there",
		"tmpfs: [/etc/hosts]\n":                             "tmpfs: /etc/hosts holds what the engine",
		"shm_size: 1k\n":                                    "shm_size: 1024 bytes is outside",
		"read_only: maybe\n":                                "aorta.yml",
		"privileged: true\n":                                "unknown key \"privileged\"",
		"a: &a [x]\nb: *c\n":                                "aorta.yml",
		"processes: {web: {cpus: 0}}\n":                     "processes.web.cpus: 0 is outside 0.01 … 1024",
		"processes: {web: {cpus: .nan}}\n":                  "cpus: \".nan\" is not a number of CPU cores",
		"processes: {web: {cpus: .inf}}\n":                  "cpus: \".inf\" is not a number of CPU cores",
		"processes: {web: {memory: 0}}\n":                   "processes.web.memory: \"0\" is nothing",
		"processes: {web: {memory: 999999999g}}\n":          "processes.web.memory",
		"processes: {web: {quantity: -1}}\n":                "processes.web.quantity",
		"processes: {web: {quantity: 1.5}}\n":               "aorta.yml",
		"processes: {web: {quantity: 1e3}}\n":               "aorta.yml",
		"processes: {web: {quantity: 1e300}}\n":             "aorta.yml",
		"processes: {web: {health: {status: 0}}}\n":         "health.status: 0 is no status",
		"processes: {web: {health: {status: 200.5}}}\n":     "aorta.yml",
		"processes: {web: {stop_grace: -5s}}\n":             "stop_grace",
		"ulimits: {nofile: 100.5}\n":                        "aorta.yml",
		"ulimits: {nofile: 99999999999999999999}\n":         "aorta.yml",
		"shm_size: 0\n":                                     "shm_size: \"0\" is nothing",
		"tmpfs: ['/a:size=0']\n":                            "\"0\" is nothing",
		"route: {max_body: 0}\n":                            "route.max_body: \"0\" is nothing",
		"processes: {web: {}}\nprocesses: {db: {}}\n":       "processes",
		"processes: {web: {}, web: {}}\n":                   "web",
		"build: {target: 0}\n":                              "aorta.yml:1:17: target: \"0\" is not a text (put it in quotes)",
		"build:\n  dockerfile: true\n":                      "aorta.yml:2:15: dockerfile: \"true\" is not a text",
		"build: {context: 1.5}\n":                           "context: \"1.5\" is not a text",
		"build: {args: {A: 1, A: 2}}\n":                     "A",
		"domains: []\n---\ndomains: []\n":                   "a second document begins",
	}
	for text, want := range cases {
		_, err := ParseManifest([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || cluster.CodeOf(err) != cluster.CodeInvalid {
			t.Errorf("%q: got %v, want invalid with %q", text, err, want)
		}
	}
}

func TestParseManifest_ReadsWhatAContainerMayDo(t *testing.T) {
	got, err := ParseManifest([]byte(`
cap_drop: [CAP_CHOWN, kill]
tmpfs: /tmp
processes:
  web: {read_only: true, cap_drop: [ALL], tmpfs: ["/run:size=16m", /var/cache/], ulimits: {nofile: 4096, core: 0}, shm_size: 128m}
  worker: {command: ./work, tmpfs: []}
`))

	all := cluster.ContainerOptions{CapDrop: []string{"CHOWN", "KILL"}, Tmpfs: []cluster.Tmpfs{{Path: "/tmp"}}}
	want := Manifest{Container: all, Processes: []cluster.ProcessType{
		{Name: "web", Container: cluster.ContainerOptions{
			ReadOnly: true, CapDrop: []string{"ALL"}, Tmpfs: []cluster.Tmpfs{{Path: "/run", Size: 16 << 20}, {Path: "/var/cache"}},
			Ulimits: map[string]int64{"nofile": 4096, "core": 0}, ShmSize: 128 << 20,
		}},
		{Name: "worker", Command: "./work", Container: cluster.ContainerOptions{CapDrop: []string{"CHOWN", "KILL"}}},
	}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestDeclared_GivesEachProcessTypeTheOptionsOfAll(t *testing.T) {
	d := declared{procfile: []byte("web: ./a\nworker: ./b\n"), manifest: []byte("read_only: true\nprocesses: {worker: {read_only: false}}")}

	got, err := d.resolve(false)

	want := []cluster.ProcessType{{Name: "web", Command: "./a", Container: cluster.ContainerOptions{ReadOnly: true}}, {Name: "worker", Command: "./b"}}
	if diff := cmp.Diff(want, got.processes); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
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
	for _, c := range []struct {
		what, procfile, manifest string
		ofImage                  bool
		says                     string
	}{
		{"beside the image's", "", "processes: {worker: {}}", true, "processes.worker: has no command, and the image's CMD is run by web alone; add command: …"},
		{"of an image without", "", "processes: {web: {}}", false, "processes.web: has no command, and the image has neither CMD nor ENTRYPOINT; add command: …"},
		{"beside a Procfile", "worker: ./work", "processes: {web: {}}", true, "processes.web: has no command, and the Procfile has no line for it (beside a Procfile, the image's CMD is run by no process type); add command: …"},
	} {
		d := declared{manifest: []byte(c.manifest)}
		if c.procfile != "" {
			d.procfile = []byte(c.procfile)
		}
		if _, err := d.resolve(c.ofImage); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("a type without a command %s: got %v, want %q", c.what, err, c.says)
		}
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

func TestParseAppJSON_NamesWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`{"formation":{"web":{"quantity":-1}}}`:                     "formation.web.quantity",
		`{"formation":{"web":{"quantity":1000000}}}`:                "formation.web.quantity",
		`{"formation":{"web":{"quantity":1.5}}}`:                    "app.json",
		`{"formation":{"web":{"quantity":"2"}}}`:                    "app.json",
		`{"formation":{"Web":{}}}`:                                  "is not a name",
		`{"formation":{"web":{"quantity":1},"web":{"quantity":2}}}`: `the key "web" is repeated`,
		`{"formation":{}} {}`:                                       "behind",
		`{"formation":`:                                             "app.json",
		strings.Repeat(`[`, 30_000):                                 "nested more than 20 deep",
	} {
		_, _, err := ParseAppJSON([]byte(text))

		if cluster.CodeOf(err) != cluster.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: got %v, want invalid with %q", text, err, want)
		}
	}
}

func FuzzAppJSON(f *testing.F) {
	f.Add([]byte(`{"formation": {"web": {"quantity": 2}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, _, err := ParseAppJSON(data)
		for name, n := range got {
			if err == nil && (cluster.ValidateName("n", name) != nil || cluster.ValidateQuantity("q", n) != nil) {
				t.Errorf("let %q: %d in", name, n)
			}
		}
	})
}

// A quantity of another file counts, too.
func TestResolve_RefusesMoreThanOneOfWhatIsExclusive(t *testing.T) {
	d := declared{
		procfile: []byte("web: ./a\ndb: ./b\n"), manifest: []byte("processes: {db: {exclusive: true}}"),
		appJSON: []byte(`{"formation": {"db": {"quantity": 3}}}`),
	}

	_, err := d.resolve(true)

	if err == nil || !strings.Contains(err.Error(), "db is exclusive: there is one instance of it at most, and 3 are asked for") {
		t.Errorf("got %v, want it refused", err)
	}
}
