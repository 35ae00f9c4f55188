package rig

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"aorta/web/rest"
	"aorta/web/wire"
)

// Ask is one request.
type Ask struct {
	Method, Path, Token string
	Body                string
	Header              map[string]string
	Nodes               bool // ask the nodes' API; Token may name a certificate, see NewNode
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Trust is for connections to the nodes' API, which show the certificate of that name.
func (r *Rig) Trust(name string) *tls.Config {
	trust := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // whose server it is is tested elsewhere
	if cert, shown := r.certs[name]; shown {
		trust.Certificates = []tls.Certificate{cert}
	}
	return trust
}

// Do makes a request and fails the test unless it is answered.
func (r *Rig) Do(a Ask) Answer {
	r.TB.Helper()
	got, err := r.Try(r.TB.Context(), a)
	if err != nil {
		r.TB.Fatalf("%s %s: %v\n%s", a.Method, a.Path, err, r.Log)
	}
	return got
}

// Try makes a request.
func (r *Rig) Try(ctx context.Context, a Ask) (Answer, error) { return r.TryAt(ctx, rest.Prefix, a) }

// TryAt makes a request below another path than that of the API.
func (r *Rig) TryAt(ctx context.Context, prefix string, a Ask) (Answer, error) {
	base := r.URL
	if a.Nodes {
		base = r.NodesURL
	}
	req, err := http.NewRequestWithContext(ctx, a.Method, base+prefix+a.Path, strings.NewReader(a.Body))
	if err != nil {
		return Answer{}, err
	}
	trust := r.Trust(a.Token)
	if a.Token != "" && len(trust.Certificates) == 0 {
		req.Header.Set("Authorization", "Bearer "+a.Token)
	}
	if a.Body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range a.Header {
		req.Header.Set(k, v)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: trust}}
	return Read(client.Do(req))
}

// Read is an answer as it came.
func Read(resp *http.Response, err error) (Answer, error) {
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, body}, err
}

// Admin asks as the admin and fails the test unless that succeeds.
func (r *Rig) Admin(method, path, body string) Answer {
	r.TB.Helper()
	got := r.Do(Ask{Method: method, Path: path, Token: AdminToken, Body: body})
	if got.Status >= 300 {
		r.TB.Fatalf("%s %s: %d %s", method, path, got.Status, got.Body)
	}
	return got
}

// As reads the answer's body.
func As[T any](tb testing.TB, a Answer) T {
	tb.Helper()
	var v T
	if err := json.Unmarshal(a.Body, &v); err != nil {
		tb.Fatalf("read %.300s: %v", a.Body, err)
	}
	return v
}

// WantProblem checks that an answer is a problem document of the status.
func WantProblem(tb testing.TB, a Answer, status int) wire.Problem {
	tb.Helper()
	p := As[wire.Problem](tb, a)
	if a.Status != status || p.Status != status || p.Detail == "" || p.Code == "" || a.Header.Get("Content-Type") != "application/problem+json" {
		tb.Errorf("got %d %s %s, want a problem document of %d", a.Status, a.Header.Get("Content-Type"), a.Body, status)
	}
	return p
}

// Keyed is a write of a developer under an idempotency key.
func Keyed(method, path, key, body string) Ask {
	return Ask{Method: method, Path: path, Token: DeveloperToken, Body: body, Header: map[string]string{rest.KeyHeader: key}}
}
