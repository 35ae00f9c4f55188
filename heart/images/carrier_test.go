package images

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"aorta/internal/disk"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/registry"
)

func TestCarrier_AnImageTravelsByItsDigest(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	built := l.image(3)
	var told []string

	want := l.push(built)
	asked, _ := l.seen()
	err := l.heart.Pull(t.Context(), want, func(text string) { told = append(told, text) })

	if err != nil || !l.has(l.other, want) {
		t.Fatalf("got %v, want the image on the other engine", err)
	}
	for node, e := range map[string][]string{"the builder": l.names(l.engine, want), "the heart": l.names(l.other, want)} {
		if !slices.Equal(e, []string{want.Image.Ref}) {
			t.Errorf("on the engine of %s it has the names %v, want %s alone", node, e, want.Image.Ref)
		}
	}
	if !slices.Contains(asked, "PUT /v2/"+string(l.app)+"/manifests/"+string(want.Build)) {
		t.Errorf("the builder asked for %v, want the image to have the build's id for its tag", asked)
	}
	if len(told) == 0 || told[0] != "pulling 0 of 4 MB" {
		t.Errorf("told %q, want how many megabytes of how many", told)
	}
	asked, bytes := l.seen()
	if bytes < 3*megabyte || bytes > 3*megabyte+100_000 {
		t.Errorf("%d bytes came, want those of the layer once", bytes)
	}
	for _, a := range asked {
		if strings.Contains(a, "/manifests/") && !strings.HasSuffix(a, want.Image.Pushed) {
			t.Errorf("the heart asked for %s, want it by its digest", a)
		}
	}
}

// A link that is cut again and again, and a pacemaker that dies: each byte travels
// once, and the engine hears of nothing.
func TestCarrier_APullGoesOnWhereItWasCut(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	want := l.push(l.image(4))
	l.seen()
	cut := cutting("GET", "/blobs/", 5, 700_000)
	var dies sync.Once
	l.disturb(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Header.Get("Range") == "bytes=1400000-" {
			dies.Do(func() {
				go l.die()
				<-r.Context().Done()
				panic(http.ErrAbortHandler)
			})
		}
		cut(w, r, next)
	})

	err := l.heart.Pull(t.Context(), want, func(string) {})

	if err != nil || !l.has(l.other, want) {
		t.Fatalf("got %v, want the image all the same", err)
	}
	if _, bytes := l.seen(); bytes > 4*megabyte+100_000 {
		t.Errorf("%d bytes came, want those of the layer once", bytes)
	}
}

func TestCarrier_APushThatWasCutIsMadeAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	built := l.image(2)
	l.disturb(cutting("PATCH", "/uploads/", 1, 100_000))

	want := l.push(built)

	l.disturb(nil)
	if err := l.heart.Pull(t.Context(), want, func(string) {}); err != nil {
		t.Errorf("pull what was pushed: %v", err)
	}
}

func TestCarrier_WhatIsNotThereIsAskedForOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	want := l.image(1)
	want.Image.Pushed = "sha256:" + strings.Repeat("0", 64)

	err := l.heart.Pull(t.Context(), want, func(string) {})

	asked, _ := l.seen()
	if cluster.CodeOf(err) != cluster.CodeNotFound || len(asked) != 1 {
		t.Errorf("got %v after %v, want it not found after one question", err, asked)
	}
	for _, part := range []string{want.Image.Ref, "n1", "manifest unknown"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, want it to name %s", err, part)
		}
	}
}

func TestCarrier_ALayerThatIsLostIsNotFound(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	want := l.push(l.image(1))
	l.disturb(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			registry.Refuse(w, http.StatusNotFound, cluster.NotFound("blob unknown to registry"))
			return
		}
		next.ServeHTTP(w, r)
	})

	err := l.heart.Pull(t.Context(), want, func(string) {})

	if cluster.CodeOf(err) != cluster.CodeNotFound {
		t.Errorf("got %v, want it not found", err)
	}
}

func TestCarrier_SaysWhatTheRegistrySays(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	built := l.image(1)
	for name, refusal := range map[string]struct {
		status int
		err    error
	}{
		"full":      {http.StatusInsufficientStorage, disk.FullAt(t.TempDir(), nil)},
		"forbidden": {http.StatusForbidden, cluster.Forbidden(`node "n1" has no such build`)},
	} {
		l.seen()
		begun := 0
		l.disturb(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method == http.MethodPost {
				begun++
				registry.Refuse(w, refusal.status, refusal.err)
				return
			}
			next.ServeHTTP(w, r)
		})

		_, err := l.builder.Push(t.Context(), built, func(string) {}, func(string) {})

		if err == nil || !strings.Contains(err.Error(), refusal.err.Error()) || cluster.CodeOf(err) != cluster.CodeOf(refusal.err) {
			t.Errorf("%s: got %v, want the registry's words %q", name, err, refusal.err)
		}
	}
}

// Who follows a push hears at once why it does not go on, and not once for each question.
func TestCarrier_SaysWhatATransferWaitsFor(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	built := l.push(l.image(1)) // so that the engine asks first whether it is there, by HEAD
	away := cluster.Unavailable("the registry does not answer")
	l.disturb(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		registry.Refuse(w, http.StatusServiceUnavailable, away)
	})
	var told []string
	back := func(text string) {
		told = append(told, text)
		l.disturb(nil)
	}

	_, err := l.builder.Push(t.Context(), built, func(string) {}, back)

	if want := "waiting for the registry: the registry does not answer"; err != nil || !slices.Equal(told, []string{want}) {
		t.Errorf("got %v and %q, want %q once, and a push that ends well", err, told, want)
	}
}

// Others on the machine know no password of a transfer, and one of an image is none
// for another.
func TestProxy_IsForTheTransferThatTheEngineWasGiven(t *testing.T) {
	t.Parallel()
	served := 0
	p, err := Listen("127.0.0.1:0", upstream(func(r *http.Request) {
		if served++; r.URL.Query().Has("mount") != r.URL.Query().Has("from") || r.URL.Query().Get("from") == "shop" {
			t.Errorf("%s asks the registry for a layer of another one", r.URL)
		}
	}), slog.New(slog.DiscardHandler))
	testkit.Must(t, err)
	t.Cleanup(func() { _ = p.listener.Close() })
	none := func() {}
	app, other := cluster.NewID(), cluster.NewID()
	pull, push, ended := p.open(app, false, nil, none), p.open(app, true, nil, none), p.open(app, true, nil, none)
	p.close(ended)
	ask := func(holder *ticket, password, method, path string) int {
		w := httptest.NewRecorder()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://x/v2/"+path, nil)
		testkit.Must(t, err)
		if holder != nil {
			req.SetBasicAuth(holder.User, password)
		}
		p.ServeHTTP(w, req)
		return w.Code
	}
	manifest, upload := string(app)+"/manifests/x", string(app)+"/blobs/uploads/"

	for name, c := range map[string]struct {
		got, want int
	}{
		"nobody":              {ask(nil, "", "GET", ""), 401},
		"a wrong password":    {ask(pull, "wrong", "GET", ""), 401},
		"a transfer's end":    {ask(ended, ended.Password, "GET", ""), 401},
		"a pull that writes":  {ask(pull, pull.Password, "POST", upload), 403},
		"another app's image": {ask(pull, pull.Password, "GET", string(other)+"/manifests/x"), 403},
		"a list":              {ask(push, push.Password, "GET", "_catalog"), 403},
		"its image":           {ask(pull, pull.Password, "GET", manifest), 200},
		"a push":              {ask(push, push.Password, "POST", upload), 200},
		"a layer from there":  {ask(push, push.Password, "POST", upload+"?mount="+onesDigest+"&from="+string(other)), 200},
		"one from elsewhere":  {ask(push, push.Password, "POST", upload+"?mount="+onesDigest+"&from=shop"), 200},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %d, want %d", name, c.got, c.want)
		}
	}
	if served != 4 {
		t.Errorf("%d requests were passed on, want those four", served)
	}
}

const onesDigest = "sha256:1111111111111111111111111111111111111111111111111111111111111111"

// upstream answers everything with 200.
type upstream func(*http.Request)

func (u upstream) Registry(req *http.Request) (*http.Response, error) {
	u(req)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}
