package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"aorta/internal/testkit"
)

const testPort = "9000"

// answering lets everybody in the lab say who they are, in both families.
func answering(tb testing.TB, l *Lab) {
	tb.Helper()
	for _, r := range l.rooms() {
		answer(tb, r)
	}
}

func answer(tb testing.TB, r *Room) {
	tb.Helper()
	for _, at := range []string{"0.0.0.0", "[::]"} {
		listener, err := r.Listen(map[string]string{"0.0.0.0": "tcp4", "[::]": "tcp6"}[at], at+":"+testPort)
		testkit.Must(tb, err)
		tb.Cleanup(func() { _ = listener.Close() })
		go func() { // ends with the listener
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(conn, r.Name)
				_ = conn.Close()
			}
		}()
	}
}

// addresses are those of a room.
func (l *Lab) addresses(r *Room) []string {
	return []string{address4(l.placeOf(r)), address6(l.placeOf(r))}
}

// greet connects and hears who answers.
func greet(ctx context.Context, from *Room, address string) (string, error) {
	conn, err := from.Dial(ctx, "tcp", net.JoinHostPort(address, testPort))
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	name, err := io.ReadAll(conn)
	return string(name), err
}

// How it ends to ask somebody.
const (
	heard   = "heard"
	refused = "refused" // one hears at once that it can't be
	silence = "silence"
)

// outcome is how it ends to ask a room from another. Silence is told from an answer
// that is late by its kind: it does not end by itself.
func outcome(tb testing.TB, from, to *Room, address string, patient bool) string {
	tb.Helper()
	ctx := testkit.Bounded(tb)
	if !patient {
		ctx = testkit.EndedBy(tb, 200*time.Millisecond)
	}
	name, err := greet(ctx, from, address)
	var ended net.Error
	switch {
	case err == nil && name == to.Name:
		return heard
	case errors.As(err, &ended) && ended.Timeout():
		return silence
	case err != nil:
		return refused
	}
	return fmt.Sprintf("answered by %q", name)
}

// wantPaths asks everybody from everybody, and from themselves, in both families.
func wantPaths(tb testing.TB, l *Lab, what string, want func(a, b string) string) {
	tb.Helper()
	var all sync.WaitGroup
	for _, from := range l.rooms() {
		for _, to := range l.rooms() {
			want := want(from.Name, to.Name)
			for _, address := range l.addresses(to) {
				all.Go(func() {
					got := outcome(tb, from, to, address, want == heard || want == refused)
					if got != want {
						tb.Errorf("%s: from %s to %s at %s: got %s, want %s", what, from.Name, to.Name, address, got, want)
					}
				})
			}
		}
	}
	all.Wait()
}

// paths says how it ends to ask b from a, for those that can't.
type paths map[string]string

// between is what the paths say; all others are heard.
func (p paths) between(a, b string) string {
	for _, key := range []string{a + " " + b, a + " *", "* " + b} {
		if is := p[key]; is != "" && a != b {
			return is
		}
	}
	return heard
}

// both is the same for both ways.
func both(a, b, is string) paths { return paths{a + " " + b: is, b + " " + a: is} }

func TestCut_IsOfThatPairAlone(t *testing.T) {
	t.Parallel()
	l := bare(t, 3)
	answering(t, l)
	cases := map[string]struct {
		cuts []Cut
		want paths
	}{
		"a pair":         {[]Cut{{A: "n2", B: "n1"}}, both("n1", "n2", silence)},
		"a pair, loud":   {[]Cut{{A: "n2", B: "n1", Loud: true}}, both("n1", "n2", refused)},
		"clients":        {[]Cut{{A: "n2", B: "client"}}, both("n2", "client", silence)},
		"one from all":   {[]Cut{{A: "n3"}}, both("n3", "*", silence)},
		"said otherwise": {[]Cut{{A: "n1", B: "n2"}, {A: "n2", B: "n1", Loud: true}}, both("n1", "n2", refused)},
		"two at once":    {[]Cut{{A: "n1", B: "n2"}, {A: "n3", B: "client", Loud: true}}, paths{"n1 n2": silence, "n2 n1": silence, "n3 client": refused, "client n3": refused}},
	}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		c := cases[name]
		for _, cut := range c.cuts {
			testkit.Must(t, l.Cut(testkit.Bounded(t), cut))
		}
		wantPaths(t, l, name, c.want.between)

		testkit.Must(t, l.Heal(testkit.Bounded(t)))
		wantPaths(t, l, name+", healed", paths{}.between)
	}
}

// A link that is down tells who has it. Of its own addresses, that of IPv4 still
// answers itself, as on any machine.
func TestCut_LoudFromAllTakesTheLinkDown(t *testing.T) {
	t.Parallel()
	l := bare(t, 3)
	answering(t, l)
	testkit.Must(t, l.Cut(testkit.Bounded(t), Cut{A: "n3", Loud: true}))
	n3 := l.Hosts[2]

	wantPaths(t, &Lab{Clients: l.Clients, Hosts: l.Hosts[:2]}, "the others", paths{}.between)
	for _, to := range []*Room{l.Clients, l.Hosts[0].Room, l.Hosts[1].Room} {
		for _, address := range l.addresses(to) {
			if got := outcome(t, n3.Room, to, address, true); got != refused {
				t.Errorf("from n3 to %s: got %s, want %s", to.Name, got, refused)
			}
		}
		for _, address := range l.addresses(n3.Room) {
			if got := outcome(t, to, n3.Room, address, false); got == heard {
				t.Errorf("from %s to n3 at %s: got %s", to.Name, address, got)
			}
		}
	}
	if got := outcome(t, n3.Room, n3.Room, n3.Address(), true); got != heard {
		t.Errorf("from n3 to itself: got %s, want %s", got, heard)
	}

	testkit.Must(t, l.Heal(testkit.Bounded(t)))
	wantPaths(t, l, "healed", paths{}.between)
}

// What was open before goes on after a silent cut: nobody was told of it.
func TestCut_SilentBreaksNoConnection(t *testing.T) {
	t.Parallel()
	l := bare(t, 2)
	listener, err := l.Hosts[1].Listen("tcp", ":"+testPort)
	testkit.Must(t, err)
	defer func() { _ = listener.Close() }()
	out, err := l.Hosts[0].Dial(testkit.Bounded(t), "tcp", l.Hosts[1].Address()+":"+testPort)
	testkit.Must(t, err)
	defer func() { _ = out.Close() }()
	in, err := listener.Accept()
	testkit.Must(t, err)
	defer func() { _ = in.Close() }()

	testkit.Must(t, l.Cut(testkit.Bounded(t), Cut{A: "n1", B: "n2"}))
	_, err = io.WriteString(out, "hello")
	testkit.Must(t, err)

	testkit.Must(t, l.Heal(testkit.Bounded(t)))

	testkit.Must(t, in.SetReadDeadline(time.Now().Add(testkit.Hang)))
	heard := make([]byte, 5)
	if _, err := io.ReadFull(in, heard); err != nil || string(heard) != "hello" {
		t.Errorf("after the cut: got %q %v, want what was sent in it", heard, err)
	}
}

func TestCut_StaysWhileAHostIsOff(t *testing.T) {
	t.Parallel()
	l := bare(t, 3)
	n2 := l.Hosts[1]
	sleeper := exec.Command("sleep", "infinity")
	testkit.Must(t, n2.Start(sleeper))
	testkit.Must(t, l.Cut(testkit.Bounded(t), Cut{A: "n1", B: "n2"}))
	testkit.Must(t, l.Cut(testkit.Bounded(t), Cut{A: "n3"}))

	testkit.Must(t, n2.Kill(testkit.Bounded(t)))
	_ = sleeper.Wait() // it has ended
	testkit.Must(t, l.Hosts[2].Kill(testkit.Bounded(t)))
	testkit.Must(t, n2.Boot(testkit.Bounded(t)))
	testkit.Must(t, l.Hosts[2].Boot(testkit.Bounded(t)))

	answering(t, l)
	wantPaths(t, l, "after a boot", paths{"n1 n2": silence, "n2 n1": silence, "n3 *": silence, "* n3": silence}.between)
}

func TestCut_NamesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	l := bare(t, 1)
	for _, c := range []Cut{{A: "n9"}, {A: "n1", B: "switch"}, {A: "n1", B: "n1"}} {
		if err := l.Cut(testkit.Bounded(t), c); err == nil {
			t.Errorf("%s: got nil, want an error", c)
		}
	}
}

// Two labs have the same addresses, and know nothing of each other.
func TestLab_TwoSideBySide(t *testing.T) {
	t.Parallel()
	one, two := bare(t, 1), bare(t, 1)
	answer(t, one.Hosts[0].Room)

	first := outcome(t, one.Clients, one.Hosts[0].Room, one.Hosts[0].Address(), true)
	second := outcome(t, two.Clients, two.Hosts[0].Room, two.Hosts[0].Address(), true)

	if first != heard || second != refused {
		t.Errorf("in the lab where n1 answers, and in the other: got %s and %s, want heard and refused", first, second)
	}
}
