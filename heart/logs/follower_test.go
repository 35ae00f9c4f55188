package logs

import (
	"errors"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errAway = errors.New("the pacemaker is away")

func target() Target { return Target{ID: cluster.NewID(), Type: "web", Release: "v1"} }

func TestShipper_FollowsAcrossRotationsOfEveryKind(t *testing.T) {
	t.Parallel()
	e, s, w := newEngine(t, 20_000, 3), newStore(), target()
	h := startHeart(t, s)
	h.Follow(w, e.path)

	for range 20 {
		e.print(250) // less than two files, and then a look
		wantShipped(t, s, w.ID, allNumbered(0, e.lines))
	}

	if said := s.system(w.ID); len(said) > 0 {
		t.Errorf("the platform said %q, want nothing", said)
	}
}

func TestShipper_HoldsWhatTheEngineRemovesWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	e, s, w := newEngine(t, 20_000, 3), newStore(), target()
	h := startHeart(t, s)
	h.Follow(w, e.path)
	e.print(10)
	wantShipped(t, s, w.ID, allNumbered(0, 10))
	s.set(func() { s.away = errAway })

	for range 20 {
		e.print(150)
		h.scan(h.find(w.ID), newReader())
	}
	if _, err := os.Stat(e.path + ".2"); err != nil {
		t.Fatalf("the engine has not rotated: %v", err)
	}
	s.set(func() { s.away = nil })

	wantShipped(t, s, w.ID, allNumbered(0, e.lines))
	if said := s.system(w.ID); len(said) > 0 {
		t.Errorf("the platform said %q, want nothing", said)
	}
}

func TestShipper_CountsWhatItDropsAtTheBound(t *testing.T) {
	t.Parallel()
	e, s, w := newEngine(t, 20_000, 3), newStore(), target()
	h := startHeart(t, s, holds(48<<10))
	h.Follow(w, e.path)
	e.print(10)
	wantShipped(t, s, w.ID, allNumbered(0, 10))
	s.set(func() { s.away = errAway })
	e.print(10)
	testkit.Eventually(t, "a batch that is refused", func() bool { return h.reason() != busy })

	for range 20 {
		e.print(150)
		h.scan(h.find(w.ID), newReader())
	}
	s.set(func() { s.away = nil })
	testkit.Eventually(t, "the last line", func() bool {
		got := s.app(w.ID)
		return got[len(got)-1] == numbered(e.lines-1)
	})

	got := s.app(w.ID)
	dropped := e.lines - len(got)
	wantTexts(t, got, append(allNumbered(0, 20), allNumbered(20+dropped, e.lines)...))
	wantSaid(t, s.system(w.ID), counted(dropped, "line was", "lines were")+" dropped here", errAway.Error(), "holds 48k")
	if all := s.texts(w.ID); !strings.Contains(all[20], "dropped") {
		t.Errorf("behind the last line before the gap: got %q, want the line of the platform", all[20])
	}
}

func TestShipper_GoesOnWhereTheStoreIs(t *testing.T) {
	t.Parallel()
	e, s, w := newEngine(t, 200_000, 3), newStore(), target()
	for range 5 {
		h := startHeart(t, s)
		h.Follow(w, e.path)
		e.print(500)
		wantShipped(t, s, w.ID, allNumbered(0, e.lines))
		h.kill()
		e.print(700)
		s.set(func() { s.deaf = 1 })
	}

	h := startHeart(t, s)
	h.Follow(w, e.path)

	wantShipped(t, s, w.ID, allNumbered(0, e.lines))
}

func TestShipper_SaysThatFilesWereGoneBeforeItCameBack(t *testing.T) {
	t.Parallel()
	e, s, w := newEngine(t, 20_000, 3), newStore(), target()
	h := startHeart(t, s)
	h.Follow(w, e.path)
	e.print(10)
	wantShipped(t, s, w.ID, allNumbered(0, 10))
	h.kill()
	e.print(2000)

	h = startHeart(t, s)
	h.Follow(w, e.path)
	testkit.Eventually(t, "the last line", func() bool {
		got := s.app(w.ID)
		return got[len(got)-1] == numbered(e.lines-1)
	})

	wantSaid(t, s.system(w.ID), "lines may be missing after 2023-11-14T22:13:20.00001Z", "gone before they were read")
	got := s.app(w.ID)
	wantTexts(t, got, append(allNumbered(0, 10), allNumbered(e.lines-len(got)+10, e.lines)...))
}

func TestShipper_LongLinesAreJoinedAcrossRestartsAndRotations(t *testing.T) {
	t.Parallel()
	e, s, w := newEngine(t, 30_000, 4), newStore(), target()
	h := startHeart(t, s)
	h.Follow(w, e.path)
	long := strings.Repeat("x", 9000)

	e.write("stdout", "begin "+long[:1000]) // a progress bar, say
	for range 4 {
		for range 100 {
			e.write("stderr", numbered(e.lines)+"\n")
			e.lines++
		}
		wantShipped(t, s, w.ID, allNumbered(0, e.lines))
		h.kill()
		h = startHeart(t, s)
		h.Follow(w, e.path)
		e.write("stdout", long)
	}
	h.kill()
	e.write("stdout", " end\n")
	h = startHeart(t, s)
	h.Follow(w, e.path)

	want := "begin " + long[:1000] + strings.Repeat(long, 4)
	wantShipped(t, s, w.ID, append(allNumbered(0, e.lines), want[:MaxLine]+CutMark))
}

func TestShipper_SurvivesWhoeverEmptiesTheLog(t *testing.T) {
	t.Parallel()
	for name, empty := range map[string]func(*engine){
		"truncated": func(e *engine) { _ = os.Truncate(e.path, 0) },
		"copied and truncated": func(e *engine) {
			all, _ := os.ReadFile(e.path)
			_ = os.WriteFile(e.path+".1", all, 0o600)
			_ = os.Truncate(e.path, 0)
		},
		"removed": func(e *engine) { _ = os.Remove(e.path) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, s, w := newEngine(t, 1_000_000, 3), newStore(), target()
			h := startHeart(t, s)
			h.Follow(w, e.path)
			e.print(100)
			wantShipped(t, s, w.ID, allNumbered(0, 100))

			empty(e)
			h.scan(h.find(w.ID), newReader())
			e.print(300)

			wantShipped(t, s, w.ID, allNumbered(0, 400))
			if said := s.system(w.ID); len(said) > 0 {
				t.Errorf("the platform said %q, want nothing: all had been read", said)
			}
		})
	}
}

func TestShipper_SaysThatALogWasEmptiedUnread(t *testing.T) {
	t.Parallel()
	e, s, w := newEngine(t, 1_000_000, 3), newStore(), target()
	h := startHeart(t, s)
	h.Follow(w, e.path)
	e.print(10)
	wantShipped(t, s, w.ID, allNumbered(0, 10))
	s.set(func() { s.away = errAway })
	e.print(10) // goes into the batch that is tried again
	testkit.Eventually(t, "a batch that is refused", func() bool { return h.reason() != busy })
	e.print(10)
	h.scan(h.find(w.ID), newReader())
	_ = os.Truncate(e.path, 0)
	h.scan(h.find(w.ID), newReader())
	e.print(10)

	s.set(func() { s.away = nil })

	wantShipped(t, s, w.ID, append(allNumbered(0, 20), allNumbered(30, 40)...))
	wantSaid(t, s.system(w.ID), "lines may be missing after", "emptied")
}

func TestShipper_DamagedRecordsCostNoOthers(t *testing.T) {
	t.Parallel()
	e, s, w := newEngine(t, 1_000_000, 3), newStore(), target()
	h := startHeart(t, s)
	h.Follow(w, e.path)

	e.print(5)
	e.raw(`{"log":"half a rec`)
	e.print(5)

	wantShipped(t, s, w.ID, allNumbered(0, 10))
	wantSaid(t, s.system(w.ID), "damaged")
}

func TestShipper_ReadsARecordOnceItIsWhole(t *testing.T) {
	t.Parallel()
	e, s, w := newEngine(t, 1_000_000, 3), newStore(), target()
	h := startHeart(t, s)
	h.Follow(w, e.path)
	e.print(1)
	wantShipped(t, s, w.ID, allNumbered(0, 1))

	e.raw(`{"log":"`)
	h.scan(h.find(w.ID), newReader())
	e.raw(`two\n","stream":"stdout","time":"2026-01-02T03:04:05Z"}` + "\n")

	wantShipped(t, s, w.ID, []string{numbered(0), "two"})
	if said := s.system(w.ID); len(said) > 0 {
		t.Errorf("the platform said %q, want nothing", said)
	}
}
