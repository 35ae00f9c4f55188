package api

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

func TestSession_UseIsWrittenDownOnceAMinute(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn(viewerToken)
	past := func(ago time.Duration) time.Time {
		at := time.Now().Add(-ago)
		r.exec(`UPDATE sessions SET seen_at = ?`, at.UnixNano())
		return at.UTC()
	}
	seen := func() time.Time {
		s, err := r.store.SessionByCookie(t.Context(), b.cookie)
		must(t, err)
		return s.SeenAt
	}

	recent := past(50 * time.Second)
	b.do("GET", "/apps", "")
	unmoved := seen()
	past(2 * time.Hour)
	b.do("GET", "/apps", "")

	if !unmoved.Equal(recent) {
		t.Errorf("got %s, want the use of 50 s ago to stand", unmoved)
	}
	testkit.Eventually(t, 5*time.Second, "the use to be written down", func() bool { return time.Since(seen()) < time.Minute })
	again := past(2 * time.Minute)
	b.do("GET", "/apps", "")
	b.do("GET", "/apps", "")
	if got := seen(); !got.Equal(again) {
		t.Errorf("got %s, want no second write within the minute", got)
	}
}

func TestSession_EndsItsStreams(t *testing.T) {
	t.Parallel()
	r, _ := newLiveRig(t)
	app, err := r.pace.CreateApp(t.Context(), "shop", "admin")
	must(t, err)
	op, err := r.pace.DeployImage(t.Context(), app, "img:1", "", "admin")
	must(t, err)
	paths := []string{"/apps/shop/logs/stream", "/jobs/" + string(op.ID) + "/events", "/live?topics=overview,app:shop"}
	ends := map[string]func(b browser){
		"signed out":    func(b browser) { b.do("DELETE", "/session", "") },
		"token revoked": func(b browser) { r.exec(`UPDATE tokens SET revoked_at = 1 WHERE user_id = ?`, b.User) },
		"user gone":     func(b browser) { r.exec(`DELETE FROM users WHERE id = ?`, b.User) },
	}
	staying, leaving := r.signIn(viewerToken), map[string]browser{}
	stay, out := []openFeed{}, map[string]openFeed{}
	for _, path := range paths {
		stay = append(stay, staying.open(path))
	}
	for name := range ends {
		leaving[name] = r.stranger(name)
		for _, path := range paths {
			out[name+", "+path] = leaving[name].open(path)
		}
	}

	for name, end := range ends {
		end(leaving[name])
	}

	late := time.After(5 * time.Second)
	for name, f := range out {
		select {
		case <-f.ended:
		case <-late:
			t.Fatalf("%s: got the stream open after 5 s, want it ended", name)
		}
	}
	for i, f := range stay {
		select {
		case <-f.ended:
			t.Errorf("%s: the stream of another session ended", paths[i])
		default:
		}
		f.cancel()
		<-f.ended
	}
}

// openFeed is an event stream that somebody reads to its end.
type openFeed struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

func (b browser) open(path string) openFeed {
	b.r.tb.Helper()
	ctx, cancel := context.WithCancel(b.r.tb.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.r.url+prefix+path, nil)
	must(b.r.tb, err)
	req.AddCookie(&http.Cookie{Name: cookieName, Value: b.cookie})
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	must(b.r.tb, err)
	if resp.StatusCode != http.StatusOK {
		b.r.tb.Fatalf("%s: got %s", path, resp.Status)
	}
	b.r.tb.Cleanup(cancel)
	f := openFeed{cancel: cancel, ended: make(chan struct{})}
	go func() { // ends with the stream
		defer close(f.ended)
		defer func() { _ = resp.Body.Close() }()
		_, _ = io.Copy(io.Discard, resp.Body)
	}()
	return f
}

func TestSightings_TakeATurnAMinute(t *testing.T) {
	s, now := newSightings(), time.Unix(1_000_000, 0)

	first, other := s.due("a", now), s.due("b", now)
	early := s.due("a", now.Add(store.SessionSeen-1))
	late := s.due("a", now.Add(store.SessionSeen))

	if !first || !other || early || !late {
		t.Errorf("got %t, of another %t, within the minute %t, after it %t; want true, true, false, true", first, other, early, late)
	}
	if len(s.last) != 1 {
		t.Errorf("got %d remembered, want the recent one alone", len(s.last))
	}
}

func TestGuard_EndsWhoLostTheRole(t *testing.T) {
	user, err := store.User{Role: "admin"}, error(nil)
	ctx, end := context.WithCancelCause(t.Context())
	defer end(nil)
	g := &guard{need: developers, end: end, identify: func(context.Context) (store.User, store.Session, error) { return user, store.Session{}, err }}

	fine := g.check(ctx)
	err = cluster.Unavailable("the database is busy")
	busy := g.check(ctx)
	user, err = store.User{Role: "viewer"}, nil
	lost := g.check(ctx)

	if fine != nil || busy != nil || lost == nil {
		t.Errorf("got %v, %v with a busy database, %v without the role; want it ended by the last alone", fine, busy, lost)
	}
}
