package lab

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"
)

// Load is what clients ask of an app, at a fixed rate, whether or not answers come. It
// tells who answers, as examples/hello does at /echo, unless the load is Plain.
type Load struct {
	App  string
	Rate int           // requests a second
	For  time.Duration // while requests are sent
	Wait time.Duration // that an answer may take; 0: half a minute
	Via  []*Host       // whose routers are asked in turn; none: all
	Post bool          // which no client may send again; else GET
	Path string        // empty: /echo
	// Plain takes a 200 that does not tell who answers too, with Says in its body. One
	// that tells is checked all the same.
	Plain bool
	Says  string
}

// Bounds of a load.
const (
	maxRate     = 5000
	maxLoad     = time.Hour
	maxFlying   = 2000 // more means that nothing is answered any more
	defaultWait = 30 * time.Second
)

// IdleTimeout is when a client leaves an idle connection: before the router does, which
// waits 15 s for the first request on one. A POST that is written to one that closes can't
// be sent again.
const IdleTimeout = 5 * time.Second

// Run asks until the time is up or ctx ends, and waits for the last answers.
func (d Load) Run(ctx context.Context, l *Lab) (*Tally, error) {
	if d.Rate < 1 || d.Rate > maxRate || d.For <= 0 || d.For > maxLoad {
		return nil, fmt.Errorf("a load of %d requests a second for %s is not within 1 … %d, for up to %s", d.Rate, d.For, maxRate, maxLoad)
	}
	if len(d.Via) == 0 {
		d.Via = l.Hosts
	}
	d.Wait = cmp.Or(d.Wait, defaultWait)
	transport := &http.Transport{DialContext: l.Clients.Dial, MaxIdleConnsPerHost: maxFlying, IdleConnTimeout: IdleTimeout}
	defer transport.CloseIdleConnections()
	s := sender{Load: d, client: &http.Client{Transport: transport, Timeout: d.Wait}, room: make(chan struct{}, maxFlying), tally: newTally()}
	s.run(ctx)
	return s.tally, nil
}

// sender is one load under way.
type sender struct {
	Load
	client *http.Client
	room   chan struct{} // of those that fly
	flying sync.WaitGroup
	tally  *Tally
}

// run keeps to the clock, not to the answers: what a slow moment delayed is sent
// after it.
func (s *sender) run(ctx context.Context) {
	defer s.flying.Wait()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	begin, sent := time.Now(), 0
	for {
		passed := min(time.Since(begin), s.For)
		for ; sent < int(passed.Seconds()*float64(s.Rate)); sent++ {
			s.send(s.Via[sent%len(s.Via)])
		}
		if passed == s.For {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *sender) send(via *Host) {
	a := Answer{Sent: time.Now(), Via: via.Name, Post: s.Post}
	select {
	case s.room <- struct{}{}:
	default:
		a.Cause = fmt.Sprintf("not sent, since %d others wait for an answer", maxFlying)
		s.tally.add(a, "")
		return
	}
	s.flying.Go(func() {
		defer func() { <-s.room }()
		by, err := s.ask(via, &a)
		if a.Took, a.OK = time.Since(a.Sent), err == nil; err != nil {
			a.Cause = err.Error()
		}
		s.tally.add(a, by)
	})
}

// ask sends one request through a router, and gives who answered it.
func (s *sender) ask(via *Host, a *Answer) (by string, err error) {
	id, method, body := rand.Text(), http.MethodGet, io.Reader(http.NoBody)
	if s.Post {
		method, body = http.MethodPost, struct{ io.Reader }{strings.NewReader(id)} // which can't be read twice
	}
	tries := 0
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { tries++ }}) // detached: by the client's time limit
	req, err := http.NewRequestWithContext(ctx, method, "http://"+via.Router()+cmp.Or(s.Path, "/echo")+"?id="+id, body)
	if err != nil {
		return "", err
	}
	req.Host = s.App + "." + Domain
	resp, err := s.client.Do(req)
	a.Again = max(0, tries-1)
	if err != nil {
		return "", plain(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return "", plain(err)
	}
	a.Status = resp.StatusCode
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%d %.200s", resp.StatusCode, strings.TrimSpace(string(raw)))
	}
	return s.told(raw, id)
}

// told is who answered, of a good answer.
func (s *sender) told(raw []byte, id string) (by string, err error) {
	var echo struct{ ID, App, Release, Instance string }
	err = json.Unmarshal(raw, &echo)
	switch tells := err == nil && echo.ID != ""; {
	case !tells && s.Plain && bytes.Contains(raw, []byte(s.Says)):
		return "what does not tell its name", nil
	case !tells, echo.ID != id, echo.App != s.App:
		return "", fmt.Errorf("the wrong answer: %.200s", raw)
	}
	return echo.Release + " " + echo.Instance, nil
}

// plain leaves out of an error what differs from one request to another.
func plain(err error) error {
	text := err.Error()
	for _, known := range []string{"connection reset by peer", "connection refused", "i/o timeout", "no route to host", "network is unreachable", "EOF"} {
		if strings.Contains(text, known) {
			return errors.New(known)
		}
	}
	if strings.Contains(text, "Client.Timeout") {
		return errors.New("no answer in time")
	}
	return err
}
