package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
	"aorta/web/wire"
)

// rate is how many requests a second an app gets.
type rate struct{ gets, posts int }

// maxFlying bounds what is on its way at once. More is sent once there are answers,
// which a machine that stands still gives late; one that never comes is an error.
const maxFlying = 500

// load asks an app at a steady rate, however long the answers take, and keeps
// what came of each request.
type load struct {
	p      *project
	rate   rate
	client *http.Client
	stop   chan struct{}
	done   chan struct{} // closed once the last request was sent and answered

	mu      sync.Mutex // guards the rest
	flying  int
	sent    int
	answers []answer
	wrong   []string // all that are no answer of those
	resent  int      // of wrong, those that were answered well the second time
}

// answer is a good one: to the right request, from the right app.
type answer struct {
	sent    time.Time
	release int
}

// underLoad begins to ask; end ends it, at the latest with the test.
func (p *project) underLoad(r rate) *load {
	p.c.tb.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: maxFlying, IdleConnTimeout: lab.IdleTimeout}
	l := &load{p: p, rate: r, client: &http.Client{Transport: transport, Timeout: testkit.Hang}, stop: make(chan struct{}), done: make(chan struct{})}
	go l.run() // ends with stop
	p.c.tb.Cleanup(func() {
		l.halt()
		transport.CloseIdleConnections()
	})
	return l
}

func (l *load) halt() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	<-l.done
}

// run keeps to the clock, not to the answers: what a slow moment delayed is
// sent after it.
func (l *load) run() {
	defer close(l.done)
	var flying sync.WaitGroup
	defer flying.Wait()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	begin := time.Now()
	now := begin
	gets, posts := 0, 0
	send := func(method string, n int) bool {
		ok := l.takeOff()
		if ok {
			flying.Go(func() { l.fly(method, n) })
		}
		return ok
	}
	for {
		select {
		case <-l.stop:
			return
		case now = <-tick.C:
		}
		passed := now.Sub(begin).Seconds()
		for gets < int(passed*float64(l.rate.gets)) && send(http.MethodGet, gets) {
			gets++
		}
		for posts < int(passed*float64(l.rate.posts)) && send(http.MethodPost, posts) {
			posts++
		}
	}
}

func (l *load) takeOff() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flying == maxFlying {
		return false
	}
	l.flying++
	l.sent++
	return true
}

func (l *load) fly(method string, n int) {
	begin := time.Now()
	a, err := l.ask(method, fmt.Sprintf("%s-%s-%06d", l.p.name, method, n))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flying--
	if errors.Is(err, errResent) {
		l.resent++
	}
	if err != nil {
		l.wrong = append(l.wrong, fmt.Sprintf("from %s to %s: %s %d: %v", begin.Format(time.RFC3339Nano), time.Now().Format(time.RFC3339Nano), method, n, err))
		return
	}
	a.sent = begin
	l.answers = append(l.answers, a)
}

const posted = 100 // bytes of a POST

// ask sends one request once. A body that can't be had twice keeps the client
// from sending a POST again; a GET that it sent again is told by the trace.
func (l *load) ask(method, id string) (answer, error) {
	var body io.Reader
	size := 0
	if method == http.MethodPost {
		size = posted
		body = struct{ io.Reader }{bytes.NewReader(make([]byte, size))}
	}
	req, err := http.NewRequest(method, l.p.c.router+"/echo?id="+id, body)
	if err != nil {
		return answer{}, err
	}
	req.ContentLength = int64(size)
	req.Host = l.p.name + ".aorta.localhost"
	sent := 0
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent++ }}))
	resp, err := l.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return answer{}, fmt.Errorf("status %d after being sent %d times: %.200s", resp.StatusCode, sent, raw)
	}
	var echo struct {
		ID, App, Release, Method string
		Bytes                    int
	}
	if err := json.Unmarshal(raw, &echo); err != nil {
		return answer{}, err
	}
	n, err := strconv.Atoi(strings.TrimPrefix(echo.Release, "v"))
	if err != nil || echo.ID != id || echo.App != l.p.name || echo.Method != method || echo.Bytes != size {
		return answer{}, fmt.Errorf("got %s, want id %s of app %s with %d bytes", raw, id, l.p.name, size)
	}
	if sent != 1 {
		return answer{}, fmt.Errorf("%w: %d times", errResent, sent)
	}
	return answer{release: n}, nil
}

// errResent marks a good answer to a request that the client had to repeat:
// somebody closed its connection instead of answering.
var errResent = errors.New("sent again")

// end stops asking and fails the test for each request that failed, and unless
// the statistics and the log have each one, once. It gives the answers.
func (l *load) end(before int64) []answer {
	tb := l.p.c.tb
	tb.Helper()
	l.halt()
	if len(l.wrong) > 0 {
		tb.Errorf("%d of %d requests to %s went wrong, such as:\n%s", len(l.wrong), l.sent, l.p.name, strings.Join(l.wrong[:min(len(l.wrong), 10)], "\n"))
	}
	l.p.counted(before + int64(l.sent))
	if got, want := l.p.logged(), int(before)+l.sent; got != want {
		tb.Errorf("got %d lines of %s in the access log, want %d", got, l.p.name, want)
	}
	return l.answers
}

// logged counts the app's lines in the router's access log.
func (p *project) logged() int {
	p.c.tb.Helper()
	return linesOf(p.c.tb, p.c.dir, asJSON[wire.App](p.c, "apps", "info", "-a", p.name).ID)
}

// linesOf counts an app's lines in the access log of the node in dir.
func linesOf(tb testing.TB, dir, app string) int {
	tb.Helper()
	files, err := filepath.Glob(dir + "/data/router/access.log*")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no access log in %s: %v", dir, err)
	}
	n := 0
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		n += strings.Count(string(raw), `"app":"`+app+`"`)
	}
	return n
}

// change is a moment from which on no answer may come from an older release.
type change struct {
	at      time.Time
	release int
}

// keepsTo fails the test for answers from a release that was no longer to
// serve when the request was sent, and for a release that served nothing.
func keepsTo(tb testing.TB, answers []answer, changes []change) {
	tb.Helper()
	stale, seen := 0, map[int]int{}
	for _, a := range answers {
		seen[a.release]++
		if slices.ContainsFunc(changes, func(c change) bool { return a.sent.After(c.at) && a.release < c.release }) {
			stale++
		}
	}
	if stale > 0 {
		tb.Errorf("%d of %d answers came from a release that had given way when they were asked for", stale, len(answers))
	}
	for _, c := range changes {
		if seen[c.release] == 0 {
			tb.Errorf("v%d answered nothing; got by release: %v", c.release, seen)
		}
	}
}

// alone waits until the app has exactly n containers, all of them running
// instances of the release.
func (p *project) alone(n int, release string) {
	p.c.tb.Helper()
	for _, in := range p.running(n) {
		if in.Release != release {
			p.c.tb.Errorf("got an instance of %s, want only %s", in.Release, release)
		}
	}
	testkit.Eventually(p.c.tb, fmt.Sprintf("%d containers of %s", n, p.name), func() bool {
		return len(p.containers()) == n
	})
}
