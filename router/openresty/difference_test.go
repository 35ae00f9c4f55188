package openresty

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
)

var (
	differenceSeed  = flag.Uint64("difference.seed", 0, "seed of the exchanges that are compared; 0 for another each time")
	differenceCount = flag.Int("difference.count", 14, "exchanges of each kind, at least")
)

// exchange is what happens between a client and an app, step by step. It is done
// twice, straight and through the router.
type exchange struct {
	kind  string
	what  string // says what is special about it, for those who read a failure
	steps []step

	listed string // the difference that it is an example of, where it is
}

// do does an exchange at an address and returns what was seen.
func (e exchange) do(tb testing.TB, address string, a *listenApp, routed bool) map[string]string {
	tb.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		tb.Fatalf("dial: %v", err)
	}
	facts := map[string]string{}
	x := &run{client: newSide("client", conn, facts), facts: facts, routed: routed}
	x.accept = func() net.Conn { return <-a.conns }
	if routed {
		x.accept = func() net.Conn { return a.next(tb, x.client) }
	}
	for _, s := range e.steps {
		s(x)
	}
	x.client.gone()
	if x.app != nil {
		x.app.gone()
	}
	return facts
}

// TestDifference_IsOnTheList does each exchange straight to an instance and
// through the router. What both sides saw has to be the same, or on the list.
func TestDifference_IsOnTheList(t *testing.T) {
	t.Parallel()
	seed := *differenceSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with: -difference.seed=%d", seed)
	used := map[string]bool{}
	r := newRig(t, func(c *Config) { c.WorkerProcesses = 1; c.LogBuffered = false })
	straight, routed := newListenApp(t), newListenApp(t)
	brief := route("brief.example.com", routed.app)
	brief.Timeout, brief.IdleTimeout = 1, 1
	r.publish(route("shop.example.com", routed.app), brief)
	lines := 0
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		rng := rand.New(rand.NewPCG(seed, 1))
		for i := range kinds[name].number(*differenceCount) {
			e := kinds[name].of(rng, i)
			e.kind = name
			alone := e.do(t, straight.Addr, straight, false)
			through := e.do(t, strings.TrimPrefix(r.base, "http://"), routed, true)
			lines++
			count(alone, through, r.lastLine(lines).counted())
			if conn := routed.left(t); conn != nil { // the exchange has ended: the next one must not get it
				_ = conn.Close()
			}
			routed.awaitUnused(t)
			compare(t, e, alone, through, used)
		}
	}
	for _, d := range differences {
		if !used[d.name] {
			t.Errorf("difference %q is on the list and was not seen", d.name)
		}
	}
	r.settles(routed.app)
}

func compare(t *testing.T, e exchange, alone, through map[string]string, used map[string]bool) {
	t.Helper()
	keys := map[string]bool{}
	maps.Copy(keys, boolean(alone))
	maps.Copy(keys, boolean(through))
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		was, has := alone[key]
		is, still := through[key]
		if was == is && has == still {
			continue
		}
		d := disparity{exchange: e, key: key, straight: was, routed: is, through: through}
		at := slices.IndexFunc(differences, func(one difference) bool { return one.covers(d) })
		if at < 0 && d.ownAnswer("") {
			t.Errorf("%s: %s: the router answers %s, and that is on no list", e.kind, e.what, through["client status"])
			return
		}
		if at < 0 {
			t.Errorf("%s: %s: %s: straight %q, through the router %q, and that is on no list", e.kind, e.what, key, was, is)
			continue
		}
		used[differences[at].name] = true
	}
}

func boolean(m map[string]string) map[string]bool {
	keys := map[string]bool{}
	for key := range m {
		keys[key] = true
	}
	return keys
}

// count adds what the router counted to what was seen through it, and what it
// should have counted to the other: the status that the client got, or 499 for
// one that went before it got any.
func count(alone, through map[string]string, counted string) {
	through["counted"] = counted
	status, _, _ := strings.Cut(through["client status"], " ")
	alone["counted"] = cmp.Or(status, "499")
}

// What docs/APPS.md tells people about the router is the list that the test above
// holds it to.
func TestDifference_ListIsInTheDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/APPS.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| ") && strings.Contains(line, " <!-- difference -->") {
			rows = append(rows, strings.TrimSuffix(strings.TrimSpace(line), " <!-- difference -->"))
		}
	}
	var want []string
	for _, d := range differences {
		want = append(want, fmt.Sprintf("| %s | %s |", d.name, d.reason))
	}
	if !slices.Equal(rows, want) {
		t.Errorf("docs/APPS.md has the rows\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
}
