package store

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// oldRow reads a column as an earlier program wrote it. Such a file never changes.
func oldRow(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	testkit.Must(t, err)
	return strings.TrimSpace(string(raw))
}

func TestShapes_ReadAndWriteRowsAsTheyAlwaysWere(t *testing.T) {
	t.Parallel()
	two := 2
	want := []cluster.ProcessType{
		{
			Name: "web", Command: "bundle exec puma -C config/puma.rb", Quantity: &two,
			Limits:    cluster.Limits{Memory: 256 << 20, CPUs: 0.5},
			Health:    cluster.Health{Path: "/up?full=1", Status: 204, StartTimeout: 90 * time.Second, Interval: 1500 * time.Millisecond},
			StopGrace: 45 * time.Second,
		},
		{Name: "worker"},
	}
	image := cluster.Image{Ref: "registry.example.com/shop:7", ID: "sha256:" + strings.Repeat("ab", 32), Digest: "sha256:" + strings.Repeat("cd", 32), Size: 123456789}
	oldProcesses, oldImage := oldRow(t, "processes.json"), oldRow(t, "image.json")

	processes, perr := decodeProcesses(oldProcesses, "old process types")
	got, ierr := decodeImage(oldImage, "an old image")

	testkit.Must(t, perr)
	testkit.Must(t, ierr)
	if diff := cmp.Diff(want, processes); diff != "" {
		t.Errorf("process types (-want +got):\n%s", diff)
	}
	if got != image {
		t.Errorf("image: got %+v, want %+v", got, image)
	}
	if again := encodeProcesses(want); again != oldProcesses {
		t.Errorf("process types are written as\n%s\nwant\n%s", again, oldProcesses)
	}
	if again := encodeImage(image); again != oldImage {
		t.Errorf("an image is written as\n%s\nwant\n%s", again, oldImage)
	}
	for _, empty := range []string{"[]", "null"} {
		if list, err := decodeProcesses(empty, "none"); err != nil || len(list) != 0 {
			t.Errorf("%s: got %v, %v, want no process types", empty, list, err)
		}
	}
	if _, err := decodeProcesses(`[{"limits": 1}]`, "a release's process types"); err == nil || !strings.Contains(err.Error(), "a release's process types") {
		t.Errorf("a damaged row: got %v, want an error that names it", err)
	}
}

func TestShapes_KeepContainerOptions(t *testing.T) {
	t.Parallel()
	want := []cluster.ProcessType{{Name: "web", Container: cluster.ContainerOptions{
		CapDrop: []string{"CHOWN"}, ReadOnly: true, Tmpfs: []cluster.Tmpfs{{Path: "/run", Size: 16 << 20}, {Path: "/tmp"}},
		Ulimits: map[string]int64{"nofile": 4096}, ShmSize: 1 << 20,
	}}}
	row := oldRow(t, "processes_container.json")

	got, err := decodeProcesses(row, "process types")

	testkit.Must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("process types (-want +got):\n%s", diff)
	}
	if again := encodeProcesses(want); again != row {
		t.Errorf("process types are written as\n%s\nwant\n%s", again, row)
	}
}

func TestShapes_KeepTagsAsTheyAlwaysWere(t *testing.T) {
	t.Parallel()
	want := []cluster.ProcessType{{Name: "web", Tags: cluster.Tags{
		Require: []cluster.Tag{{Key: "rack", Value: "r7"}, {Key: "ssd"}}, Prefer: []cluster.Tag{{Key: "region", Value: "eu"}},
	}}}
	row := oldRow(t, "processes_tags.json")

	got, err := decodeProcesses(row, "process types")

	testkit.Must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("process types (-want +got):\n%s", diff)
	}
	if again := encodeProcesses(want); again != row {
		t.Errorf("process types are written as\n%s\nwant\n%s", again, row)
	}
}

// TestShapes_LackNoField fails when the vocabulary gets a field that rows don't
// keep: then the shape gets one too, or this list says why not.
func TestShapes_LackNoField(t *testing.T) {
	t.Parallel()
	for domain, shape := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[cluster.Image]():       reflect.TypeFor[imageShape](),
		reflect.TypeFor[cluster.ProcessType](): reflect.TypeFor[processShape](),
		reflect.TypeFor[cluster.Limits]():      reflect.TypeFor[limitsShape](),
		reflect.TypeFor[cluster.Health]():      reflect.TypeFor[healthShape](),

		reflect.TypeFor[cluster.ContainerOptions](): reflect.TypeFor[containerShape](),
		reflect.TypeFor[cluster.Tmpfs]():            reflect.TypeFor[tmpfsShape](),
		reflect.TypeFor[cluster.Tags]():             reflect.TypeFor[tagsShape](),
	} {
		for i := range domain.NumField() {
			if name := domain.Field(i).Name; !hasField(shape, name) {
				t.Errorf("%s has no %s, which %s has", shape, name, domain)
			}
		}
	}
}

func hasField(t reflect.Type, name string) bool {
	_, ok := t.FieldByName(name)
	return ok
}

// TestShapes_AreThoseOfTheColumns reads rows by the store that hold old JSON.
func TestShapes_AreThoseOfTheColumns(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	_, op := newApp(t, s, "shop")
	made := newRelease(t, s, op)
	columns := map[string]any{"processes": oldRow(t, "processes.json"), "image": oldRow(t, "image.json")}
	testkit.Must(t, s.write(t.Context(), "write old rows", func(tx *gorm.DB) error {
		if err := tx.Model(&releaseRow{}).Where("id = ?", string(made.ID)).Updates(columns).Error; err != nil {
			return err
		}
		return tx.Model(&buildRow{}).Where("id = ?", string(made.BuildID)).Updates(columns).Error
	}))

	release, rerr := s.Release(t.Context(), made.ID)
	build, berr := s.Build(t.Context(), made.BuildID)

	testkit.Must(t, rerr)
	testkit.Must(t, berr)
	if diff := cmp.Diff(release.Processes, build.Processes); diff != "" || len(release.Processes) != 2 || release.Image != build.Image || build.Image.Size != 123456789 {
		t.Errorf("got %+v and %+v, want both from the same columns (%s)", release, build, diff)
	}
}
