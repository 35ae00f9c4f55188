package heart

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// sampleRecord is what testdata/record.json holds.
func sampleRecord() record {
	at := func(second int) time.Time { return time.Date(2024, 1, 2, 3, 4, second, 6, time.UTC) }
	started := at(5)
	return record{
		Spec: cluster.InstanceSpec{
			ID: "0192d3a0-0000-7000-8000-000000000001", AppID: "0192d3a0-0000-7000-8000-000000000002",
			App: "shop", Release: "v7", Type: "web", Node: "n1", Commit: "c", Command: "run",
			Image: cluster.Image{Ref: "registry.example.com/shop:7", ID: "sha256:0a", Digest: "sha256:0b", Size: 5},
			Env:   map[string]string{"K": "v"}, Port: 20001, Limits: cluster.Limits{Memory: 256 << 20, CPUs: 0.5},
			Health:    cluster.Health{Path: "/up", Status: 204, StartTimeout: 90 * time.Second, Interval: 1500 * time.Millisecond},
			StopGrace: time.Minute, Revision: 5,
		},
		Stray: true, State: cluster.InstanceRunning, Healthy: true, Crashing: true, Restarts: 3, Error: "e", Tail: []string{"last"},
		Gone: true, StartedAt: &started, StopAsked: true, TermAt: at(6), HealthySince: at(7), Backoff: time.Second,
		NextStart: at(8), Starts: []time.Time{at(9)},
	}
}

func TestRecordStore_KeepsContainerOptions(t *testing.T) {
	s, err := openRecordStore(t.TempDir())
	testkit.Must(t, err)
	want := sampleRecord()
	want.Spec.Container = cluster.ContainerOptions{
		CapDrop: []string{"CHOWN"}, ReadOnly: true, Tmpfs: []cluster.Tmpfs{{Path: "/run", Size: 16 << 20}, {Path: "/tmp"}},
		Ulimits: map[string]int64{"nofile": 4096}, ShmSize: 1 << 20,
	}
	want.Spec.Grants = []string{"NET_RAW"}

	got := want.file().record()
	err = s.save(want)

	testkit.Must(t, err)
	if diff := cmp.Diff(want.Spec, got.Spec); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRecordStore_KeepsTheFilesOfEarlierVersions holds an upgrade in place
// together: the file was written by a version before this one.
func TestRecordStore_KeepsTheFilesOfEarlierVersions(t *testing.T) {
	golden, err := os.ReadFile(filepath.Join("testdata", "record.json"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := openRecordStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	want := sampleRecord()
	file := s.file(want.Spec.ID)

	if err := s.save(want); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(golden)), string(written)); diff != "" {
		t.Errorf("a record is not written as it was (-want +got):\n%s", diff)
	}

	if err := os.WriteFile(file, golden, 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := s.load(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]record{want}, list); diff != "" {
		t.Errorf("a record is not read as it was (-want +got):\n%s", diff)
	}
}

func TestRecordFile_ForgetsNoField(t *testing.T) {
	want := testkit.Filled[record](t)
	if diff := cmp.Diff(want, want.file().record()); diff != "" {
		t.Errorf("a record there and back (-want +got):\n%s", diff)
	}
}
