package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// plant writes a small module and returns its root.
func plant(tb testing.TB, files map[string]string) string {
	tb.Helper()
	root := tb.TempDir()
	files["go.mod"] = "module aorta\n\ngo 1.26.0\n"
	for name, text := range files {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			tb.Fatalf("make a folder of the fixture: %v", err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			tb.Fatalf("write the fixture: %v", err)
		}
	}
	return root
}

// rules are the findings without their reasons.
func rules(found []Finding) []string {
	var all []string
	for _, f := range found {
		all = append(all, strings.TrimSuffix(f.String(), ": "+f.Reason))
	}
	return all
}

// Two people who work at once give their migrations one number.
func TestCheck_NamesTwoMigrationsOfOneNumber(t *testing.T) {
	found, err := Check(plant(t, map[string]string{"migrations/sqlite/00001_a.sql": "", "migrations/sqlite/00002_b.sql": "", "migrations/sqlite/00002_c.sql": "", "migrations/other/00002_b.sql": ""}))

	want := []string{"migrations/sqlite/00002_c.sql:1: another migration has the number 00002"}
	if got := rules(found); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}

func body(lines int) string { return strings.Repeat("\tx++\n", lines) }

func TestCheck_NamesEachBreach(t *testing.T) {
	const doc = "// Package p is a fixture.\n"
	tests := []struct{ name, path, text, want string }{
		{"gorm outside the store", "web/api/a.go", doc + "package api\nimport _ \"gorm.io/gorm\"\n", "web/api/a.go:3: web/api must not import gorm.io/gorm"},
		{"redis in a pure package", "jobs/a.go", doc + "package jobs\nimport _ \"github.com/redis/go-redis/v9\"\n", "jobs/a.go:3: jobs must not import github.com/redis/go-redis/v9"},
		{"old logger", "heart/a.go", doc + "package heart\nimport _ \"log\"\n", "heart/a.go:3: heart must not import log"},
		{"the vocabulary looks down", "pacemaker/cluster/a.go", doc + "package cluster\nimport _ \"aorta/jobs\"\n", "pacemaker/cluster/a.go:3: pacemaker/cluster must not import jobs"},
		{"adapter to adapter", "router/table/a.go", doc + "package table\nimport _ \"aorta/router/stats\"\n", "router/table/a.go:3: router/table must not import router/stats"},
		{"the CLI reaches inside", "cmd/aorta/a.go", doc + "package main\nimport _ \"aorta/pacemaker/store\"\n", "cmd/aorta/a.go:3: cmd/aorta must not import pacemaker/store"},
		{"a program imported", "web/a.go", doc + "package web\nimport _ \"aorta/cmd/aortad\"\n", "web/a.go:3: web must not import cmd/aortad"},
		{"test kit shipped", "heart/a.go", doc + "package heart\nimport _ \"aorta/internal/testkit\"\n", "heart/a.go:3: heart must not import internal/testkit"},
		{"network in a pure package", "router/a.go", doc + "package router\nimport _ \"net\"\n", "router/a.go:3: router must not import net"},
		{"clock in a pure package", "pacemaker/plan/a.go", doc + "package plan\nimport \"time\"\nvar now = time.Now\n", "pacemaker/plan/a.go:4: no time.Now in pacemaker/plan"},
		{"sleep", "heart/a.go", doc + "package heart\nimport \"time\"\nfunc f() { time.Sleep(1) }\n", "heart/a.go:4: no time.Sleep"},
		{"sleep under another name", "heart/a.go", doc + "package heart\nimport clock \"time\"\nfunc f() { clock.Sleep(1) }\n", "heart/a.go:4: no time.Sleep"},
		{"deadline of a test's own", "heart/a_test.go", "package heart\nimport \"context\"\nvar f = context.WithTimeout\n", "heart/a_test.go:3: no context.WithTimeout in a test"},
		{"deadline of a connection", "heart/a_test.go", "package heart\nvar err = conn.SetReadDeadline(time.Now().Add(5 * time.Second))\n", "heart/a_test.go:2: no deadline of its own in a test"},
		{"measured time", "heart/a_test.go", "package heart\nimport \"time\"\nvar f = time.Since\n", "heart/a_test.go:3: no time.Since in a test"},
		{"root context", "heart/a.go", doc + "package heart\nimport \"context\"\nvar c = context.Background()\n", "heart/a.go:4: no context.Background here"},
		{"shell by name", "web/a.go", doc + "package web\nimport \"os/exec\"\nvar c = exec.Command(\"sh\", \"-c\", \"ls\")\n", "web/a.go:4: no shell (sh)"},
		{"shell by path", "web/a.go", doc + "package web\nvar argv = []string{\"/bin/sh\", \"x\"}\n", "web/a.go:3: no shell (/bin/sh)"},
		{"long function", "heart/a.go", doc + "package heart\nfunc f() {\n\tx := 0\n" + body(58) + "}\n", "heart/a.go:3: f has 61 lines, at most 60"},
		{"a test that a document promises", "docs/FAULTS.md", "| fault | `TestNobody_WroteThis` |\n", "docs/FAULTS.md:1: there is no test TestNobody_WroteThis"},
		{"long file", "heart/a.go", doc + "package heart\n" + strings.Repeat("\n", 499), "heart/a.go:1: file has 501 lines, at most 500"},
		{"undocumented function", "heart/a.go", doc + "package heart\nfunc Beat() {}\n", "heart/a.go:3: document Beat"},
		{"undocumented constant", "heart/a.go", doc + "package heart\nconst (\n\tA = 1 // one\n\tB = 2\n)\n", "heart/a.go:5: document B"},
		{"no package comment", "heart/a.go", "package heart\n", "heart/a.go:1: package heart (heart) has no comment"},
		{"vague name", "internal/util/a.go", doc + "package util\n", "internal/util/a.go:2: no package named util"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := plant(t, map[string]string{tt.path: tt.text})

			found, err := Check(root)
			if err != nil {
				t.Fatalf("Check: %v", err)
			}

			if got := rules(found); !slices.Equal(got, []string{tt.want}) {
				t.Errorf("got  %q\nwant %q", got, []string{tt.want})
			}
		})
	}
}

func TestCheck_LeavesAllowedThingsAlone(t *testing.T) {
	root := plant(t, map[string]string{
		"pacemaker/store/a.go":  "// Package store is one.\npackage store\nimport (\n_ \"gorm.io/gorm\"\n_ \"aorta/pacemaker/cluster\"\n_ \"log/slog\"\n)\n",
		"cmd/aortad/main.go":    "// Command aortad is one.\npackage main\nimport (\n\"context\"\n_ \"aorta/heart/docker\"\n_ \"aorta/router/table\"\n)\nvar c = context.Background()\n",
		"heart/a.go":            "// Package heart is one.\npackage heart\nimport (\n\"context\"\n\"time\"\n)\n// Stop is documented.\nfunc Stop() {\n\t// detached: 5 s, the caller is gone\n\tc := context.Background()\n\t_, _ = c, time.Now()\n}\ntype hidden struct{}\nfunc (hidden) Beat() {}\n",
		"heart/build/a.go":      "// Package build is one.\npackage build\nimport _ \"aorta/heart/docker\"\n",
		"heart/docker/a.go":     "// Package docker is one.\npackage docker\nvar entry = []string{\"/bin/sh\", \"-c\"}\n",
		"jobs/fake_test.go":     "package jobs\nimport (\n\"time\"\n_ \"testing/synctest\"\n)\nvar _ = time.Since\n",
		"jobs/jobs_test.go":     "package jobs\nimport (\n\"context\"\n\"os\"\n\"time\"\n_ \"aorta/internal/testkit\"\n)\nvar _ = os.Args\nvar _ = time.Now\nvar _ = context.Background()\n",
		"heart/testdata/bad.go": "package bad\nimport \"log\"\n",
		"web/gen.go":            "// Code generated by x. DO NOT EDIT.\n\npackage web\nfunc Undocumented() {}\n",
		"web/doc.go":            "// Package web is one.\npackage web\n",
	})

	found, err := Check(root)
	if err != nil {
		t.Fatalf("Check: %v", err)
	}

	if len(found) != 0 {
		t.Errorf("got %q, want none", rules(found))
	}
}

func TestCheck_SaysWhatItCouldNotParse(t *testing.T) {
	root := plant(t, map[string]string{"heart/a.go": "package heart\nfunc {\n"})

	_, err := Check(root)

	if err == nil || !strings.Contains(err.Error(), "heart/a.go:2") {
		t.Errorf("got %v, want an error that names heart/a.go:2", err)
	}
}
