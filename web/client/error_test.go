package client

import (
	"errors"
	"net/http"
	"testing"

	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

func TestClient_ErrorsCarryCodeAndWords(t *testing.T) {
	cases := []struct {
		name   string
		answer func(w http.ResponseWriter)
		code   cluster.Code
		text   string
	}{
		{"code wins over status", func(w http.ResponseWriter) {
			sendProblem(w, wire.Problem{Status: 400, Detail: "lost", Code: "conflict"})
		}, cluster.CodeConflict, "lost"},
		{"unknown code falls back", func(w http.ResponseWriter) {
			sendProblem(w, wire.Problem{Status: 404, Detail: "gone", Code: "teapot"})
		}, cluster.CodeNotFound, "gone"},
		{"401", func(w http.ResponseWriter) { sendProblem(w, wire.Problem{Status: 401, Detail: "who?"}) }, cluster.CodeForbidden, "who?"},
		{"422 with fields", func(w http.ResponseWriter) {
			sendProblem(w, wire.Problem{Status: 422, Detail: "validation failed", Errors: []wire.ProblemDetail{{Message: "too long", Location: "body.name"}, {Message: "is odd"}}})
		}, cluster.CodeInvalid, "validation failed: name: too long; is odd"},
		{"field told by the detail", func(w http.ResponseWriter) {
			sendProblem(w, wire.Problem{Status: 422, Detail: "name: too long", Errors: []wire.ProblemDetail{{Message: "too long", Location: "body.name"}}})
		}, cluster.CodeInvalid, "name: too long"},
		{"title alone", func(w http.ResponseWriter) { sendProblem(w, wire.Problem{Status: 500, Title: "Oops"}) }, cluster.CodeInternal, "Oops"},
		{"another 4xx", func(w http.ResponseWriter) { sendProblem(w, wire.Problem{Status: 418, Detail: "tea"}) }, cluster.CodeInvalid, "tea"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) { tc.answer(w) })
			c := connect(t, s.URL, Options{})

			_, err := c.Whoami(t.Context())

			var status *StatusError
			if cluster.CodeOf(err) != tc.code || err.Error() != tc.text || !errors.As(err, &status) {
				t.Errorf("got %q (%s, %v), want %q (%s) with its status", err, cluster.CodeOf(err), status, tc.text, tc.code)
			}
		})
	}
}

func TestClient_AnswersFromSomethingElse(t *testing.T) {
	cases := []struct {
		name   string
		answer func(w http.ResponseWriter)
		code   cluster.Code
		text   string
	}{
		{
			"a proxy's page", func(w http.ResponseWriter) { http.Error(w, "<html>bad gateway</html>", http.StatusBadGateway) }, cluster.CodeUnavailable,
			"URL answered 502 Bad Gateway, not in the words of this API: is it the address of a cluster?",
		},
		{"a redirect", func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(301)
		}, cluster.CodeInvalid, "URL sends on to https://elsewhere.example/: use that address"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) { tc.answer(w) })
			c := connect(t, s.URL, Options{})

			_, err := c.Whoami(t.Context())

			if want := s.URL + tc.text[len("URL"):]; cluster.CodeOf(err) != tc.code || err.Error() != want {
				t.Errorf("got %q (%s), want %q (%s)", err, cluster.CodeOf(err), want, tc.code)
			}
			if got := len(s.requests()); got != 1 {
				t.Errorf("got %d requests, want 1 (no redirect is followed)", got)
			}
		})
	}
}
