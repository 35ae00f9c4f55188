package live_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/internal/rig"
	"aorta/web/live"
)

// crowd enters 1,000 apps of some releases each, of which the last serves with
// two instances, and their numbers.
func crowd(r *rig.Rig, releases int) {
	r.TB.Helper()
	node, _ := r.NewNode("n1", cluster.RoleHeart)
	r.Exec(`INSERT INTO apps (id, workspace_id, name, created_at)
		WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
		SELECT printf('0192d3a0-0000-7000-8000-%012d', i), (SELECT id FROM workspaces LIMIT 1), printf('app-%04d', i), 0 FROM n`)
	r.Exec(`INSERT INTO releases (id, app_id, number, build_id, operation_id, state, image, processes, config, message, created_at)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		SELECT printf('r%s-%d', apps.id, i), apps.id, i, 'b', printf('o%s-%d', apps.id, i), 'retired', '{}', '[{"name":"web"},{"name":"worker"}]', 'sealed', 'a message', 0 FROM apps, n`, releases)
	r.Exec(`INSERT INTO traffic SELECT app_id, id, 10000 FROM releases WHERE number = ?`, releases)
	r.Exec(`INSERT INTO instances (id, app_id, release_id, type, node_id, port, state, created_at)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 2 FROM n WHERE i < 2)
		SELECT printf('i%s-%d', app_id, i), app_id, release_id, 'web', ?, 10000, 'running', 0 FROM traffic, n`, string(node.ID))
	apps, err := r.Store.Apps(r.TB.Context(), "", -1)
	testkit.Must(r.TB, err)
	p95 := 20.0
	for _, app := range apps {
		r.Numbers.Recents[string(app.ID)] = live.Recent{Seconds: 10, Requests: 100, P95: &p95, Spark: make([]uint32, live.SparkSteps)}
	}
	if len(apps) != 1000 {
		r.TB.Fatalf("got %d apps, want 1000", len(apps))
	}
}

// One computation of a topic with 1,000 apps of 200 releases, without the numbers themselves.
func BenchmarkWatcher_Compute(b *testing.B) {
	r := rig.New(b)
	crowd(r, 200)
	for _, topics := range [][]string{{"overview"}, {"apps"}, {"jobs"}, {"app:app-0500"}, {"overview", "apps", "jobs"}} {
		name := ""
		for _, t := range topics {
			name += t + " "
		}
		b.Run(name, func(b *testing.B) {
			w := live.NewSource(r.LiveConfig())
			b.ReportAllocs()
			for b.Loop() {
				states := w.Compute(b.Context(), topics, time.Now())
				if len(states) != len(topics) {
					b.Fatalf("got %d topics, want %d", len(states), len(topics))
				}
			}
		})
	}
}

func TestWatcher_ShowsAThousandApps(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	crowd(r, 2)
	w := live.NewSource(r.LiveConfig())

	states := w.Compute(t.Context(), []string{"overview", "apps"}, time.Now())

	rows := states["apps"].Rows
	overview, err := json.Marshal(states["overview"].Value)
	testkit.Must(t, err)
	if len(rows) != 1000 || rows[500].Key != "app-0500" {
		t.Errorf("got %d rows, want a thousand by name", len(rows))
	}
	if want := `"apps":{"total":1000,"serving":1000,"stopped":0}`; !json.Valid(overview) || !strings.Contains(string(overview), want) {
		t.Errorf("got %s, want it to hold %s", overview, want)
	}
}
