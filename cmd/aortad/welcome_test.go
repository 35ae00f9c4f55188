package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/jobs/redisconn"
	"aorta/pacemaker/cluster"
)

func TestNode_KeepsAWelcomeForTheNextStart(t *testing.T) {
	t.Parallel()
	d := &daemon{}
	d.cfg.DataDir = t.TempDir()
	n := &node{d: d, who: &identity{path: d.path("node.json")}, jobs: redisconn.NewEndpoint()}
	want := testkit.Filled[cluster.Welcome](t)

	if err := n.accept(want); err != nil {
		t.Fatal(err)
	}

	if diff := cmp.Diff(want, d.lastWelcome()); diff != "" {
		t.Errorf("the welcome of the last run (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.Pacemakers, n.who.Pacemakers); diff != "" {
		t.Errorf("the pacemakers of the next start (-want +got):\n%s", diff)
	}
}

// TestNode_ReadsTheWelcomeOfAnEarlierVersion reads what nodes are sent and keep,
// as a version before this one wrote it.
func TestNode_ReadsTheWelcomeOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "web", "nodewire", "testdata", "welcome.json"))
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{}
	d.cfg.DataDir = t.TempDir()
	if err := os.WriteFile(d.path("welcome.json"), raw, 0o600); err != nil {
		t.Fatal(err)
	}

	got := d.lastWelcome()

	if got.NodeName != "n1" || got.Jobs.Addr != "10.0.0.1:6379" || got.Stats.CA != "pem" || len(got.Networks) != 1 {
		t.Errorf("got %+v, want what the file says", got)
	}
}
