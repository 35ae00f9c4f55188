package git

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"aorta/internal/gitrepo"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestSlots_BoundAnAppAndAll(t *testing.T) {
	t.Parallel()
	s := newSlots("pushes", 3, 2)
	s.wait = time.Millisecond
	enter := func(app string) func() {
		leave, err := s.take(t.Context(), app)
		testkit.Must(t, err)
		return leave
	}
	first := enter("shop")
	enter("shop")

	_, ofApp := s.take(t.Context(), "shop")
	enter("blog")
	_, ofAll := s.take(t.Context(), "wiki")
	first()
	first()
	enter("wiki")
	_, still := s.take(t.Context(), "cms")

	for name, err := range map[string]error{"2 of shop": ofApp, "1 of blog, 2 of shop": ofAll, "1 of blog, 1 of shop, 1 of wiki": still} {
		if cluster.CodeOf(err) != cluster.CodeUnavailable || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "try again") {
			t.Errorf("got %v, want it refused with %q", err, name)
		}
	}
}

// Pushes that stand still take no process beyond their slots, and hold up nobody
// else for long.
func TestPush_ThatStandsStillIsOneOfAFew(t *testing.T) {
	l := newLab(t, 0)
	l.e.turns.intake = newSlots("pushes that are being taken in", 1, 1)
	l.e.turns.intake.wait = time.Millisecond
	l.commit(t, "one")
	ctx, end := context.WithCancel(t.Context())
	body, rest := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/git/shop.git/git-receive-pack", body)
	testkit.Must(t, err)
	req.SetBasicAuth("me", goodToken)
	req.Header.Set("Content-Type", "application/x-git-receive-pack-request")
	done := make(chan struct{})
	go func() { // ended by end
		defer close(done)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	_, err = rest.Write(append(appendPacket(nil, gitrepo.NoCommit+" "+strings.Repeat("1", 40)+" refs/heads/main\x00report-status side-band-64k"), flushPacket...))
	testkit.Must(t, err)
	testkit.Eventually(t, "the push that stands still to have its slot", func() bool { return !l.e.turns.intake.free() })

	out, ok := l.try(t, "push", "aorta", "main")
	end()
	_ = rest.Close()
	<-done
	testkit.Eventually(t, "the slot to be given back", l.e.turns.intake.free)

	if ok {
		t.Error("git succeeded, want a failure")
	}
	wantText(t, out, "1 of shop", "try again in a moment")
	l.git(t, "push", "-q", "aorta", "main")
}

// The deploy that a push follows may last: the next push is taken in meanwhile.
func TestPush_ThatFollowsItsDeployLetsTheNextIn(t *testing.T) {
	l := newLab(t, 0)
	l.e.turns.intake = newSlots("pushes that are being taken in", 1, 1)
	l.commit(t, "one")
	var free bool
	l.push = func(ctx context.Context, p Push, _ io.Writer) error {
		free = l.e.turns.intake.free()
		return l.repo.MoveRef(ctx, p.Ref, p.Old, p.New)
	}

	l.git(t, "push", "-q", "aorta", "main")

	if !free {
		t.Error("want the slot given back when the objects are taken in")
	}
}

func TestFetch_WaitsForItsTurn(t *testing.T) {
	l := newLab(t, 0)
	l.commit(t, "one")
	l.git(t, "push", "-q", "aorta", "main")
	l.e.turns.fetch = newSlots("fetches", 1, 1)
	l.e.turns.fetch.wait = time.Millisecond
	leave, err := l.e.turns.fetch.take(t.Context(), "shop")
	testkit.Must(t, err)

	clone := func() (string, bool) { return l.try(t, "clone", "-q", l.remote("shop", goodToken), t.TempDir()) }
	_, busy := clone()
	leave()
	out, ok := clone()

	if busy || !ok {
		t.Errorf("got success %t while another fetch had the slot and %t after it: %s", busy, ok, out)
	}
}

// free says that nobody has a slot.
func (s *slots) free() bool {
	return len(s.Held()) == 0
}

func TestTurns_FitIntoTheMemoryThatThereIs(t *testing.T) {
	for memory, want := range map[int64][2]int{0: {1, 4}, 2 << 30: {1, 4}, 64 << 30: {8, 16}} {
		turns := newTurns(memory)

		if got := [2]int{turns.intake.All, turns.fetch.All}; got != want {
			t.Errorf("with %d bytes: got %v pushes and fetches at a time, want %v", memory, got, want)
		}
	}
}
