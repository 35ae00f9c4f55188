package logs

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestShipper_DrainWaitsForTheLastLine(t *testing.T) {
	t.Parallel()
	e, s, w := newEngine(t, 1_000_000, 3), newStore(), target()
	s.away = errAway
	h := startHeart(t, s)
	h.Follow(w, e.path)
	e.print(3)
	e.raw(`{"log":"the last of a killed engine\n","stream":"stderr","time":"2026-01-02T03:04:05Z"}`)

	early := h.Drain(testkit.EndedBy(t, 300*time.Millisecond), w.ID)
	s.set(func() { s.away = nil })
	late := h.Drain(testkit.Bounded(t), w.ID)

	if early == nil || late != nil {
		t.Errorf("Drain: got %v and %v, want an error while the store is away, and none then", early, late)
	}
	wantTexts(t, s.app(w.ID), append(allNumbered(0, 3), "the last of a killed engine"))
	if err := h.Drain(t.Context(), cluster.NewID()); err != nil {
		t.Errorf("Drain of an unknown instance: got %v, want nothing to wait for", err)
	}
}

func TestShipper_ShipsWhatIsLeftOfARemovedContainer(t *testing.T) {
	t.Parallel()
	e, s, w := newEngine(t, 20_000, 3), newStore(), target()
	s.away = errAway
	h := startHeart(t, s)
	h.Follow(w, e.path)
	e.print(150)
	h.scan(h.find(w.ID), newReader())
	if err := os.RemoveAll(filepath.Dir(e.path)); err != nil {
		t.Fatal(err)
	}

	h.Forget(w.ID)
	s.set(func() { s.away = nil })

	wantShipped(t, s, w.ID, allNumbered(0, 150))
	testkit.Eventually(t, "the instance to be forgotten", func() bool { return h.find(w.ID) == nil })
}

func TestShipper_SystemLinesNeedNoContainer(t *testing.T) {
	t.Parallel()
	s, w := newStore(), target()
	h := startHeart(t, s)

	h.AddSystemLine(w, "failed: its image is missing")
	h.Forget(w.ID)

	testkit.Eventually(t, "the line and the end of the instance", func() bool { return len(s.texts(w.ID)) > 0 && h.find(w.ID) == nil })
	wantSaid(t, s.system(w.ID), "its image is missing")
}

func TestShipper_SystemLinesLeaveThePositionAlone(t *testing.T) {
	t.Parallel()
	e, s, w := newEngine(t, 1_000_000, 3), newStore(), target()
	h := startHeart(t, s)
	h.Follow(w, e.path)
	e.print(10)
	wantShipped(t, s, w.ID, allNumbered(0, 10))
	h.kill()
	h = startHeart(t, s)

	h.AddSystemLine(w, "restarting") // before the file is known
	testkit.Eventually(t, "the line", func() bool { return len(s.system(w.ID)) == 1 })
	h.Follow(w, e.path)
	e.print(10)

	wantShipped(t, s, w.ID, allNumbered(0, 20))
}

func TestShipper_SaysWhyOutputCantBeRead(t *testing.T) {
	t.Parallel()
	s, w := newStore(), target()
	h := startHeart(t, s)

	h.Follow(w, filepath.Join(t.TempDir(), "not-here.log"))

	testkit.Eventually(t, "a line of the platform", func() bool { return len(s.system(w.ID)) > 0 })
	wantSaid(t, s.system(w.ID), "can't be read", "not-here.log")
}

func TestShipper_AFloodLeavesRoomForTheOthers(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.away = errAway
	h := startHeart(t, s, holds(100<<20))
	flood := newEngine(t, 100<<20, 3)
	flood.print(100_000)
	loud := target()
	h.Follow(loud, flood.path)
	var quiet []Target
	for range 20 {
		e, w := newEngine(t, 1_000_000, 3), target()
		e.print(3)
		h.Follow(w, e.path)
		quiet = append(quiet, w)
	}

	r := newReader()
	for _, f := range h.all() {
		f.accept(part{}) // as if the store had been asked
	}
	batch, full := h.gather(r)

	size := 0
	for _, p := range batch {
		size += p.size
	}
	if len(batch) != 21 || !full || size > batchBytes+100_000 || !slices.ContainsFunc(batch, func(p part) bool { return p.Instance == loud.ID && p.size > batchBytes/2 }) {
		t.Errorf("got %d parts of %d bytes, full %t, want one of each instance in a full batch, most of it the flood's", len(batch), size, full)
	}
	_ = quiet
}

func TestShipper_RefusedLinesBlockNoOthers(t *testing.T) {
	t.Parallel()
	e, s, w := newEngine(t, 1_000_000, 3), newStore(), target()
	h := startHeart(t, s)
	h.Follow(w, e.path)
	e.print(1)
	wantShipped(t, s, w.ID, allNumbered(0, 1))
	s.set(func() { s.away = cluster.Invalid("lines", "nobody wants them") })
	e.print(5)
	testkit.Eventually(t, "a batch that is refused", func() bool { return h.reason() != busy })
	s.set(func() { s.away = nil })
	e.print(5)

	testkit.Eventually(t, "the last line", func() bool { return slices.Contains(s.app(w.ID), numbered(10)) })
	wantSaid(t, s.system(w.ID), "nobody wants them", "dropped here")
}

func TestCheckReadable_NamesCauseAndNextStep(t *testing.T) {
	here := t.TempDir()
	if err := os.Mkdir(filepath.Join(here, "containers"), 0o700); err != nil {
		t.Fatal(err)
	}

	err := CheckReadable(filepath.Join(here, "elsewhere"))

	if cluster.CodeOf(err) != cluster.CodeInvalid || !strings.Contains(fmt.Sprint(err), "not on this machine") || CheckReadable(here) != nil {
		t.Errorf("got %v and %v, want the first alone refused", err, CheckReadable(here))
	}
}

func TestShipper_HearsOfAQuietFileThatGrows(t *testing.T) {
	t.Parallel()
	for name, grow := range map[string]func(*engine){
		"printed":  func(e *engine) { e.print(5) },
		"rotated":  func(e *engine) { e.print(500) },
		"one more": func(e *engine) { e.print(1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, s, w := newEngine(t, 20_000, 5), newStore(), target()
			h := startHeart(t, s)
			h.Follow(w, e.path)
			e.print(10)
			for range 2 {
				testkit.Eventually(t, "the file to rest", func() bool { return h.find(w.ID).resting.Load() })

				grow(e)

				wantShipped(t, s, w.ID, allNumbered(0, e.lines))
			}
		})
	}
}

// A line of the platform, about an instance whose files are not known yet, waits for no
// look at files.
func TestShipper_ShipsALineOfThePlatformAtOnce(t *testing.T) {
	t.Parallel()
	s, w := newStore(), target()
	h := New(s, Options{Log: slog.New(slog.DiscardHandler), Files: 3, Held: 1 << 20})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { h.shipAll(ctx); close(ended) }() // ends with cancel
	t.Cleanup(func() { cancel(); <-ended })

	h.AddSystemLine(w, "restarting")

	testkit.Eventually(t, "the platform's line", func() bool { return len(s.system(w.ID)) == 1 })
}
