package logs

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"aorta/heart/docker"
	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// An engine that is killed and started again costs what it had read and not yet
// written, which is one gap a stream. No line comes twice or out of order, and
// all that it wrote is in the store. Whether it takes up a container's output
// again is its own matter: an engine of today does not always, and the app then
// waits in a write.
func TestShipper_AKilledEngineLosesOnlyWhatItHadNotWritten(t *testing.T) {
	const total = 150_000
	id := cluster.NewID()
	own := rig.OwnEngine(t, id)
	e, err := docker.Open(docker.Options{Host: own.Host, Cluster: id, LogSize: 1 << 20, LogFiles: 100})
	testkit.Must(t, err)
	defer e.Close()
	_, err = e.EnsureNetwork(t.Context())
	testkit.Must(t, err)
	w, s := target(), newStore()
	spec := cluster.InstanceSpec{
		ID: w.ID, AppID: cluster.NewID(), Type: "worker", Image: rig.Image(t, e, id),
		Env: map[string]string{"MODE": fmt.Sprintf("lines:%d", total), "PORT": "5000"},
	}
	_, err = e.Create(t.Context(), docker.Launch{Spec: spec})
	testkit.Must(t, err)
	testkit.Must(t, e.Start(t.Context(), w.ID))
	c, err := e.Inspect(t.Context(), w.ID)
	testkit.Must(t, err)
	h := startHeart(t, s, func(o *Options) { o.Files, o.Held = 100, 100<<20 })
	h.Follow(w, c.LogPath)

	testkit.Eventually(t, "lines in the store", func() bool { return s.count(w.ID) > 1000 })
	own.Kill()
	own.Start()
	testkit.Must(t, e.Signal(t.Context(), w.ID, "SIGKILL"))
	rig.AwaitExit(t, e, w.ID)
	testkit.Must(t, h.Drain(testkit.Bounded(t), w.ID))

	for _, stream := range []string{"stdout", "stderr"} {
		got := numbers(s.texts(w.ID, stream))
		if wrote := written(t, c.LogPath, stream); !slices.Equal(got, wrote) {
			t.Errorf("%s: the store has %d lines, want the %d of the engine's files", stream, len(got), len(wrote))
		}
		if n := gaps(t, stream, got); n > 1 {
			t.Errorf("%s: lines are missing in %d places, want one for the kill at most", stream, n)
		}
	}
}

// written are the numbers in the engine's files, none of which it has removed.
func written(tb testing.TB, path, stream string) []int {
	tb.Helper()
	var texts []string
	for i := 99; i >= 0; i-- {
		name := path
		if i > 0 {
			name = fmt.Sprintf("%s.%d", path, i)
		}
		raw, err := os.ReadFile(name)
		if err != nil && !os.IsNotExist(err) {
			tb.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			var rec struct{ Log, Stream string }
			if json.Unmarshal([]byte(line), &rec) == nil && rec.Stream == stream {
				texts = append(texts, strings.TrimSuffix(rec.Log, "\n"))
			}
		}
	}
	return numbers(texts)
}

// numbers are those of numbered lines; what the engine tore is left out.
func numbers(list []string) (all []int) {
	for _, l := range list {
		var n int
		if _, err := fmt.Sscanf(l, "line %d", &n); err == nil && l == numbered(n) {
			all = append(all, n)
		}
	}
	return all
}

// gaps counts where the numbers of a stream skip some, and fails if they don't
// rise. Every third line goes to stderr.
func gaps(tb testing.TB, stream string, list []int) (n int) {
	tb.Helper()
	for i := 1; i < len(list); i++ {
		prev, next := list[i-1], list[i-1]+1
		if stream == "stderr" {
			next = prev + 3
		} else if next%3 == 0 {
			next++
		}
		if list[i] <= prev {
			tb.Fatalf("%s: line %d comes after line %d", stream, list[i], prev)
		}
		if list[i] != next {
			n++
		}
	}
	return n
}
