package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aorta/internal/testkit"
)

func TestMain(m *testing.M) {
	testkit.Parallel(6)
	goleak.VerifyTestMain(m)
}

// fakeSource says what it is told to.
type fakeSource struct {
	mu      sync.Mutex // guards all below
	states  map[string]State
	looks   []string // topics of each look
	open    int      // of Changes
	changes chan struct{}
}

func newFakeSource() *fakeSource {
	return &fakeSource{states: map[string]State{}, changes: make(chan struct{}, 1)}
}

func (f *fakeSource) set(topic string, s State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.states[topic] = s
}

// say sets a state and wakes the hub.
func (f *fakeSource) say(topic string, s State) {
	f.set(topic, s)
	select {
	case f.changes <- struct{}{}:
	default:
	}
}

func (f *fakeSource) Compute(_ context.Context, topics []string, _ time.Time) map[string]State {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks = append(f.looks, strings.Join(topics, ","))
	out := map[string]State{}
	for _, t := range topics {
		if s, there := f.states[t]; there {
			out[t] = s
		}
	}
	return out
}

func (f *fakeSource) Changes(ctx context.Context) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open++
	context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.open--
	})
	return f.changes
}

func (f *fakeSource) looked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.looks)
}

// list is a state with rows k=v.
func list(pairs ...string) State {
	s := State{Event: "apps", List: true}
	for _, p := range pairs {
		k, _, _ := strings.Cut(p, "=")
		s.Rows = append(s.Rows, Row{Key: k, Value: p})
	}
	return s
}

// run runs a hub until the test ends.
func run(tb testing.TB, source Source) *Hub {
	tb.Helper()
	h := New(source, slog.New(slog.DiscardHandler))
	runHub(tb, h)
	return h
}

func runHub(tb testing.TB, h *Hub) {
	tb.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }() // ended below
	tb.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			tb.Errorf("the hub ended with %v, want nil", err)
		}
	})
}

func open(tb testing.TB, h *Hub, topics ...string) *Stream {
	tb.Helper()
	s := h.Open(topics)
	tb.Cleanup(s.Close)
	return s
}

// next is the next frame as event and data.
func next(tb testing.TB, s *Stream) string {
	tb.Helper()
	f := testkit.Receive(tb, "a frame", s.Frames())
	return f.Event + " " + string(f.Data)
}

func TestHub_TellsAllFirstAndThenWhatChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newFakeSource()
		source.set("apps", list("a=1", "b=1", "c=1"))
		source.set("overview", State{Event: "overview", Value: "well"})
		h := run(t, source)
		s := open(t, h, "apps", "overview")

		got := []string{next(t, s), next(t, s)}
		source.say("apps", list("a=1", "b=2", "d=1"))
		got = append(got, next(t, s))
		source.say("overview", State{Event: "overview", Value: "ill"})
		got = append(got, next(t, s))

		want := []string{
			`apps {"all":true,"rows":["a=1","b=1","c=1"],"gone":[]}`, `overview "well"`,
			`apps {"all":false,"rows":["b=2","d=1"],"gone":["c"]}`, `overview "ill"`,
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("got - want +\n%s", diff)
		}
	})
}

func TestHub_ComputesOnceForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newFakeSource()
		source.set("apps", list("a=1"))
		h := run(t, source)
		first := open(t, h, "apps")
		next(t, first)
		before := len(source.looked())

		for range 100 {
			next(t, open(t, h, "apps"))
		}

		// Only the tick may have looked meanwhile, once a second.
		if n := len(source.looked()) - before; n > 3 {
			t.Errorf("got %d looks for 100 streams, want those of the tick", n)
		}
	})
}

func TestHub_LooksAtMostTwiceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newFakeSource()
		source.set("apps", list("n=0"))
		h := run(t, source)
		s := open(t, h, "apps")
		next(t, s)
		began, n := time.Now(), 0

		for i := 1; time.Since(began) < 2*time.Second; i++ {
			source.say("apps", list(fmt.Sprintf("n=%d", i)))
			select {
			case <-s.Frames():
				n++
			case <-time.After(time.Millisecond):
			}
		}

		if n < 3 || n > 5 {
			t.Errorf("got %d events in 2 s of unrest, want about 4", n)
		}
	})
}

func TestHub_ASlowReaderGetsTheWholeOnceItReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newFakeSource()
		source.set("apps", list("n=0", "still=1"))
		h := run(t, source)
		s := open(t, h, "apps")
		for i := 1; i <= backlog+3; i++ {
			source.say("apps", list(fmt.Sprintf("n=%d", i), "still=1"))
			seen := len(source.looked())
			testkit.Eventually(t, "a look", func() bool { return len(source.looked()) > seen })
		}
		last := fmt.Sprintf("n=%d", backlog+3)

		var wholes int
		for {
			var e struct {
				All  bool
				Rows []string
			}
			f := <-s.Frames()
			if err := json.Unmarshal(f.Data, &e); err != nil {
				t.Fatal(err)
			}
			if e.All {
				wholes++
			}
			if slices.Contains(e.Rows, last) {
				if !e.All || !slices.Contains(e.Rows, "still=1") || wholes != 2 {
					t.Errorf("got %s as whole number %d, want the whole a second time", f.Data, wholes)
				}
				return
			}
		}
	})
}

func TestHub_KeepsWhatCantBeComputedAndTellsOfAnotherEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newFakeSource()
		source.set("app:a", State{Event: "app", Value: 1})
		h := run(t, source)
		s := open(t, h, "app:a", "apps")
		first := next(t, s)
		source.say("app:a", State{Event: "app", Value: func() {}}) // can't be encoded
		source.say("apps", list())
		second := next(t, s)
		source.say("app:a", State{Event: "gone", Value: 1})
		third := next(t, s)

		got := []string{first, second, third}
		want := []string{"app 1", `apps {"all":true,"rows":[],"gone":[]}`, "gone 1"}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("got - want +\n%s", diff)
		}
	})
}

func TestHub_HostileTextStaysInItsLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const evil = "x\r\n\nevent: gone\ndata: {}\n\n<script>\u2028\xff"
		source := newFakeSource()
		source.set("apps", State{Event: "apps", List: true, Rows: []Row{{Key: evil, Value: evil}}})
		h := run(t, source)
		s := open(t, h, "apps")
		all := next(t, s)
		source.say("apps", list())
		gone := next(t, s)

		for _, frame := range []string{all, gone} {
			_, data, _ := strings.Cut(frame, " ")
			if strings.ContainsAny(frame, "\r\n\u2028<") || !json.Valid([]byte(data)) {
				t.Errorf("got %q, want JSON in one line", frame)
			}
		}
	})
}

func TestHub_RestsWhileNobodyListens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newFakeSource()
		source.set("apps", list("a=1"))
		h := New(source, slog.New(slog.DiscardHandler))
		h.linger = 0
		runHub(t, h)
		watched := func() int {
			source.mu.Lock()
			defer source.mu.Unlock()
			return source.open
		}
		atRest := len(source.looked()) + watched()
		s := open(t, h, "apps")
		next(t, s)
		s.Close()
		testkit.Eventually(t, "the hub to rest", func() bool { return watched() == 0 })
		source.say("apps", list("a=2"))
		looks := len(source.looked())

		got := next(t, open(t, h, "apps"))

		if want := `apps {"all":true,"rows":["a=2"],"gone":[]}`; atRest != 0 || got != want || len(source.looked()) != looks+1 {
			t.Errorf("got %d looks at rest, then %s after %d; want 0, then %s after one", atRest, got, len(source.looked())-looks, want)
		}
	})
}

func TestHub_EndsItsStreams(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := New(newFakeSource(), slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- h.Run(ctx) }() // ended below
		s := open(t, h, "apps")
		stop()

		_, running := <-s.Frames()
		late := open(t, h, "apps")
		_, lateRunning := <-late.Frames()

		if err := <-done; running || lateRunning || err != nil {
			t.Errorf("got frames %t, %t and %v; want both ended and nil", running, lateRunning, err)
		}
	})
}

// One look at a list of 1,000 rows of which ten changed, told to 100 readers.
func BenchmarkHub_Look(b *testing.B) {
	type row struct {
		Name  string   `json:"name"`
		Rate  float64  `json:"rate"`
		Spark []uint32 `json:"spark"`
	}
	source := newFakeSource()
	h := New(source, slog.New(slog.DiscardHandler))
	var streams []*Stream
	for range 100 {
		streams = append(streams, h.Open([]string{"apps"}))
	}
	state := State{Event: "apps", List: true}
	for i := range 1000 {
		state.Rows = append(state.Rows, Row{Key: fmt.Sprint(i), Value: &row{Name: fmt.Sprint(i), Spark: make([]uint32, 60)}})
	}
	source.set("apps", state)
	n := 0.0
	b.ReportAllocs()
	for b.Loop() {
		for i := range 10 {
			n++
			state.Rows[i*100].Value.(*row).Rate = n
		}
		h.compute(b.Context(), []string{"apps"})
		for _, s := range streams {
			<-s.frames
		}
	}
}
