package auth_test

import (
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/web/internal/rig"
)

func TestSession_UseIsWrittenDownOnceAMinute(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	b := r.SignIn(rig.ViewerToken)
	past := func(ago time.Duration) time.Time {
		at := time.Now().Add(-ago)
		r.Exec(`UPDATE sessions SET seen_at = ?`, at.UnixNano())
		return at.UTC()
	}
	seen := func() time.Time {
		s, err := r.Store.SessionByCookie(t.Context(), b.Cookie)
		testkit.Must(t, err)
		return s.SeenAt
	}

	recent := past(50 * time.Second)
	b.Do("GET", "/apps", "")
	unmoved := seen()
	long := past(2 * time.Hour)
	b.Do("GET", "/apps", "")

	if !unmoved.Equal(recent) {
		t.Errorf("got %s, want the use of 50 s ago to stand", unmoved)
	}
	testkit.Eventually(t, "the use to be written down", func() bool { return seen().After(long) })
	again := past(2 * time.Minute)
	b.Do("GET", "/apps", "")
	b.Do("GET", "/apps", "")
	if got := seen(); !got.Equal(again) {
		t.Errorf("got %s, want no second write within the minute", got)
	}
}

func TestSession_EndsItsStreams(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	op, err := r.Pace.DeployImage(t.Context(), app, "img:1", "", "admin")
	testkit.Must(t, err)
	paths := []string{"/apps/shop/logs/stream", "/jobs/" + string(op.ID) + "/events", "/live?topics=overview,app:shop"}
	ends := map[string]func(b rig.Browser){
		"signed out":    func(b rig.Browser) { b.Do("DELETE", "/session", "") },
		"token revoked": func(b rig.Browser) { r.Exec(`UPDATE tokens SET revoked_at = 1 WHERE user_id = ?`, b.User) },
		"user gone":     func(b rig.Browser) { r.Exec(`DELETE FROM users WHERE id = ?`, b.User) },
	}
	staying, leaving := r.SignIn(rig.ViewerToken), map[string]rig.Browser{}
	stay, out := []rig.OpenFeed{}, map[string]rig.OpenFeed{}
	for _, path := range paths {
		stay = append(stay, staying.Open(path))
	}
	for name := range ends {
		leaving[name] = r.Stranger(name)
		for _, path := range paths {
			out[name+", "+path] = leaving[name].Open(path)
		}
	}

	for name, end := range ends {
		end(leaving[name])
	}

	for name, f := range out {
		testkit.Receive(t, "the end of the stream: "+name, f.Ended)
	}
	for i, f := range stay {
		select {
		case <-f.Ended:
			t.Errorf("%s: the stream of another session ended", paths[i])
		default:
		}
		f.Cancel()
		<-f.Ended
	}
}
