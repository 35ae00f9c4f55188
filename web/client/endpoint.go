package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"aorta/pacemaker/cluster"
)

// maxAnswer bounds how much of a JSON answer is read, in bytes.
const maxAnswer = 64 << 20

// endpoint is one address of a cluster with the bearer token for it.
type endpoint struct {
	base  *url.URL
	token string
	agent string
	http  *http.Client
}

// call is one request, which may be attempted more than once. It sends json,
// or what body opens (anew for each attempt), or nothing.
type call struct {
	method string
	path   string // below /api/v1/, escaped
	query  url.Values
	header http.Header
	json   []byte
	body   func() (io.ReadCloser, error)
	limit  time.Duration // for the whole exchange, zero for none
}

func newEndpoint(base, token, agent string, client *http.Client) (*endpoint, error) {
	u, err := url.Parse(strings.TrimRight(base, "/"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, cluster.Invalid("", "%q is not the address of a cluster (such as http://127.0.0.1:7420)%s", base, withScheme(base))
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, cluster.Invalid("", "the address %s must be scheme, host and path alone (the token is given apart)", u.Redacted())
	}
	if strings.ContainsAny(token, " \t\r\n") {
		return nil, cluster.Invalid("", "the token holds white space; was it cut or joined when it was copied?")
	}
	return &endpoint{base: u, token: token, agent: agent, http: client}, nil
}

// withScheme says what somebody may have meant who left the scheme out.
func withScheme(base string) string {
	u, err := url.Parse("https://" + base)
	if err != nil || strings.Contains(base, "://") || u.Hostname() == "" || u.User != nil {
		return ""
	}
	return fmt.Sprintf("; perhaps: https://%s, or http://%[1]s", u.Host)
}

// newTransport is a transport of the caller's own, whose idle connections it
// can close.
func newTransport(proxy func(*http.Request) (*url.URL, error)) *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy: proxy, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: 60 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 60 * time.Second,
		ExpectContinueTimeout: 2 * time.Second,
	}
}

// noRedirects keeps a token from following an answer to another place.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// path joins segments into a path, and refuses those that would name another
// one than they say.
func path(segments ...string) (string, error) {
	escaped := make([]string, len(segments))
	for i, s := range segments {
		if s == "" || s == "." || s == ".." {
			return "", cluster.Invalid("", "%q can't be a name or an id", s)
		}
		escaped[i] = url.PathEscape(s)
	}
	return strings.Join(escaped, "/"), nil
}

// input is what a request sends: POST unless it names another method, body as JSON
// unless it is nil.
type input struct {
	method string
	body   any
	limit  time.Duration
}

func (in input) call(segments []string) (call, error) {
	p, err := path(segments...)
	if err != nil {
		return call{}, err
	}
	c := call{method: cmp.Or(in.method, http.MethodPost), path: p, header: http.Header{}, limit: in.limit}
	if in.body == nil {
		return c, nil
	}
	if own, ok := in.body.(interface{ JSON() []byte }); ok {
		c.json = own.JSON()
	} else if c.json, err = json.Marshal(in.body); err != nil {
		return call{}, fmt.Errorf("encode request: %w", err)
	}
	c.header.Set("Content-Type", "application/json")
	return c, nil
}

// send makes one attempt. The answer is of status 2xx and its body is the
// caller's to close; every other answer is an error.
func (e *endpoint) send(ctx context.Context, c call) (*http.Response, error) {
	req, body, err := e.request(ctx, c)
	if err != nil {
		return nil, err
	}
	resp, err := e.http.Do(req)
	if err != nil {
		return nil, e.failure(ctx, body, err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		defer resp.Body.Close()
		return nil, e.refusal(resp)
	}
	return resp, nil
}

func (e *endpoint) request(ctx context.Context, c call) (*http.Request, *watchedBody, error) {
	target := e.base.String() + "/api/v1/" + c.path
	if len(c.query) > 0 {
		target += "?" + c.query.Encode()
	}
	var body io.Reader
	var watched *watchedBody
	switch {
	case c.json != nil:
		body = bytes.NewReader(c.json)
	case c.body != nil:
		opened, err := c.body()
		if err != nil {
			return nil, nil, err
		}
		watched = &watchedBody{ReadCloser: opened}
		body = watched
	}
	req, err := http.NewRequestWithContext(ctx, c.method, target, body)
	if err != nil {
		if watched != nil {
			_ = watched.Close()
		}
		return nil, nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Accept", "application/json, application/problem+json")
	for k, v := range c.header {
		req.Header[k] = v
	}
	e.sign(req)
	return req, watched, nil
}

// sign says who asks.
func (e *endpoint) sign(req *http.Request) {
	if e.token != "" {
		req.Header.Set("Authorization", "Bearer "+e.token)
	}
	req.Header.Set("User-Agent", e.agent)
}

// exchange makes one attempt and decodes its answer; one without a body leaves
// the zero value.
func exchange[T any](ctx context.Context, e *endpoint, c call) (T, error) {
	var into T
	if c.limit > 0 {
		limited, cancel := context.WithTimeoutCause(ctx, c.limit, noAnswer(c.limit))
		defer cancel()
		ctx = limited
	}
	resp, err := e.send(ctx, c)
	if err != nil {
		return into, err
	}
	defer resp.Body.Close()
	answer := io.LimitReader(resp.Body, maxAnswer)
	if _, none := any(into).(nothing); none || resp.StatusCode == http.StatusNoContent {
		// Read to its end, the connection can serve the next call.
		_, _ = io.Copy(io.Discard, answer)
		return into, nil
	}
	err = json.NewDecoder(answer).Decode(&into)
	switch {
	case err == nil:
		return into, nil
	case ctx.Err() != nil, errors.Is(err, io.ErrUnexpectedEOF), unanswered(err) && !errors.Is(err, io.EOF):
		return into, e.failure(ctx, nil, err)
	}
	return into, &cluster.Error{
		Code:    cluster.CodeInternal,
		Message: fmt.Sprintf("%s answered %s %s with something that is not the JSON of this API (%v): is it a cluster of the same version?", e.base, c.method, c.path, err),
	}
}

// watchedBody remembers why the reading of a request's body failed: the
// transport reports that as a broken connection, which it is not. The transport
// reads on a goroutine of its own, hence the atomic.
type watchedBody struct {
	io.ReadCloser
	failed atomic.Pointer[error]
}

// Read reads and remembers.
func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		b.failed.Store(&err)
	}
	return n, err
}

// err is the failure, nil while there is none.
func (b *watchedBody) err() error {
	if b == nil {
		return nil
	}
	if p := b.failed.Load(); p != nil {
		return *p
	}
	return nil
}
