package lab

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
)

// serving answers as a router does, with an app behind it.
func serving(tb testing.TB, h *Host, answer http.HandlerFunc) {
	tb.Helper()
	listener, err := h.Listen("tcp", h.Router())
	testkit.Must(tb, err)
	server := &http.Server{Handler: answer}
	go func() { _ = server.Serve(listener) }() // ends with the server
	tb.Cleanup(func() { _ = server.Close() })
}

func TestLoad_TellsWhoAnswersWhat(t *testing.T) {
	t.Parallel()
	l := bare(t, 4)
	echo := func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "shop."+Domain || r.URL.Path != "/echo" {
			http.Error(w, "not asked for: "+r.Host+r.URL.Path, http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, `{"id":%q,"app":"shop","release":"v3","instance":"i-1"}`, r.URL.Query().Get("id"))
	}
	serving(t, l.Hosts[0], echo)
	serving(t, l.Hosts[1], func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"id":"of-another","app":"shop"}`) })
	serving(t, l.Hosts[2], func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no instance", http.StatusServiceUnavailable)
	})

	for _, post := range []bool{false, true} {
		tally, err := Load{App: "shop", Rate: 200, For: 200 * time.Millisecond, Wait: testkit.Hang, Post: post}.Run(testkit.Bounded(t), l)
		testkit.Must(t, err)

		var got bytes.Buffer
		tally.Print(&got)
		want := []string{
			"10 ok, 30 failed", "through n1 10 ok 0 failed", "through n2 0 ok 10 failed", "through n3 0 ok 10 failed", "through n4 0 ok 10 failed",
			"by v3 i-1 10", "failed: 503 no instance 10", "failed: connection refused 10", `failed: the wrong answer: {"id":"of-another","app":"shop"} 10`,
		}
		lines := strings.Split(strings.TrimSpace(got.String()), "\n")
		for i := range lines {
			lines[i] = strings.Join(strings.Fields(lines[i]), " ")
		}
		if strings.Join(lines, "\n") != strings.Join(want, "\n") {
			t.Errorf("post %v: got\n%s\nwant\n%s", post, strings.Join(lines, "\n"), strings.Join(want, "\n"))
		}
	}
}

// Apps other than the example say what they like.
func TestLoad_PlainTakesWhatSaysTheText(t *testing.T) {
	t.Parallel()
	l := bare(t, 2)
	serving(t, l.Hosts[0], func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "welcome to the shop at "+r.URL.Path) })
	serving(t, l.Hosts[1], func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"id":"of-another","app":"shop"}`) })

	for says, want := range map[string]string{"": "20 of 40", "the shop at /cart": "20 of 40", "v2": "0 of 40"} {
		tally, err := Load{App: "shop", Rate: 200, For: 200 * time.Millisecond, Wait: testkit.Hang, Path: "/cart", Plain: true, Says: says}.Run(testkit.Bounded(t), l)
		testkit.Must(t, err)

		if got := fmt.Sprintf("%d of %d", tally.OK, tally.OK+tally.Failed); got != want {
			t.Errorf("%q: got %s served, want %s", says, got, want)
		}
	}
}

func TestLoad_IsBounded(t *testing.T) {
	t.Parallel()
	l := &Lab{}
	for _, d := range []Load{{Rate: 0, For: time.Second}, {Rate: 1e6, For: time.Second}, {Rate: 1}, {Rate: 1, For: 24 * time.Hour}} {
		if tally, err := d.Run(t.Context(), l); err == nil {
			t.Errorf("%d a second for %s: got %v, want an error", d.Rate, d.For, tally)
		}
	}
}
