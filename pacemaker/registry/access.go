package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
)

// access logs in to a registry: by user and password, or by a token that it has others
// give for them.
type access struct {
	scheme string
	host   string
	login  string // the file
	client *http.Client

	mu     sync.Mutex       // guards the rest
	realm  *url.URL         // who gives tokens; nil: nobody, or not known yet
	known  bool             // how the registry lets in
	tokens map[string]token // by scope
}

type token struct {
	text string
	ends time.Time
}

// do sends a request with what lets it in. Only one without a body is sent again when
// that was not taken; how to come in is asked before.
func (a *access) do(req *http.Request, scope string) (*http.Response, error) {
	for again := false; ; again = true {
		header, err := a.authorize(req.Context(), scope)
		if err != nil {
			return nil, err
		}
		out := req.Clone(req.Context())
		if header != "" && out.URL.Host == a.host { // what is elsewhere has its own rights
			out.Header.Set("Authorization", header)
		}
		resp, err := a.send(out)
		if err != nil || resp.StatusCode != http.StatusUnauthorized {
			return resp, err
		}
		a.forget()
		if again || req.Body != nil && req.Body != http.NoBody {
			return resp, nil
		}
		_ = resp.Body.Close()
	}
}

// send follows where a read is sent to; the log-in stays behind.
func (a *access) send(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		return a.client.Do(req)
	}
	return a.client.Transport.RoundTrip(req)
}

// authorize is the header that lets in; "" without a log-in.
func (a *access) authorize(ctx context.Context, scope string) (string, error) {
	user, password, err := a.credentials()
	if err != nil {
		return "", err
	}
	realm, err := a.challenge(ctx)
	if err != nil {
		return "", err
	}
	if realm == nil {
		return basic(user, password), nil
	}
	a.mu.Lock()
	t := a.tokens[scope]
	a.mu.Unlock()
	if time.Now().Before(t.ends) {
		return "Bearer " + t.text, nil
	}
	if t, err = a.fetch(ctx, realm, scope, basic(user, password)); err != nil {
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tokens == nil || len(a.tokens) > 1000 { // one for each app and right
		a.tokens = map[string]token{}
	}
	a.tokens[scope] = t
	return "Bearer " + t.text, nil
}

func basic(user, password string) string {
	if user == "" {
		return ""
	}
	req := http.Request{Header: http.Header{}}
	req.SetBasicAuth(user, password)
	return req.Header.Get("Authorization")
}

// credentials are read anew: they may have been changed.
func (a *access) credentials() (user, password string, err error) {
	if a.login == "" {
		return "", "", nil
	}
	raw, err := os.ReadFile(a.login)
	if err != nil {
		return "", "", cluster.Unavailable("the log-in of the registry can't be read: %v (registry_login)", err)
	}
	user, password, ok := strings.Cut(strings.TrimSpace(string(raw)), ":")
	if !ok || user == "" || password == "" {
		return "", "", cluster.Unavailable("%s is not USER:PASSWORD (registry_login)", a.login)
	}
	return user, password, nil
}

// forget has it asked anew how the registry lets in.
func (a *access) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known, a.tokens = false, nil
}

// challenge is who gives tokens for the registry, as it says itself; nil for nobody.
func (a *access) challenge(ctx context.Context) (*url.URL, error) {
	a.mu.Lock()
	realm, known := a.realm, a.known
	a.mu.Unlock()
	if known {
		return realm, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.at(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	if realm, err = realmOf(resp.Header.Get("WWW-Authenticate")); err != nil {
		return nil, err
	}
	if realm != nil && realm.Scheme != a.scheme && realm.Scheme != "https" {
		return nil, cluster.Unavailable("the registry at %s has its tokens given by %s, where everybody could read the log-in", a.host, realm)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.realm, a.known = realm, true
	return realm, nil
}

func (a *access) at() string {
	return (&url.URL{Scheme: a.scheme, Host: a.host, Path: "/v2/"}).String()
}

var challengePart = regexp.MustCompile(`(realm|service)="([^"]*)"`)

// realmOf reads who gives tokens from a registry's challenge, and for which service.
func realmOf(challenge string) (*url.URL, error) {
	if !strings.HasPrefix(strings.ToLower(challenge), "bearer ") {
		return nil, nil
	}
	said := map[string]string{}
	for _, m := range challengePart.FindAllStringSubmatch(challenge, -1) {
		said[m[1]] = m[2]
	}
	realm, err := url.Parse(said["realm"])
	if err != nil || realm.Scheme != "https" && realm.Scheme != "http" {
		return nil, fmt.Errorf("its challenge %.200q names nobody who gives tokens", challenge)
	}
	query := realm.Query()
	query.Set("service", said["service"])
	realm.RawQuery = query.Encode()
	return realm, nil
}

// fetch has a token given for a scope.
func (a *access) fetch(ctx context.Context, realm *url.URL, scope, header string) (token, error) {
	at := *realm
	query := at.Query()
	for one := range strings.FieldsSeq(scope) {
		query.Add("scope", one)
	}
	at.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return token{}, err
	}
	if header != "" {
		req.Header.Set("Authorization", header)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return token{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return token{}, cluster.Unavailable("%s, which gives the tokens of the registry at %s, answers %s: check the file that registry_login names", realm.Host, a.host, resp.Status)
	}
	return readToken(resp.Body)
}

// readToken reads who was let in and for how long; a minute, if that is not said.
func readToken(body io.Reader) (token, error) {
	var said struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.NewDecoder(io.LimitReader(body, 1<<20)).Decode(&said); err != nil {
		return token{}, fmt.Errorf("read a token: %w", err)
	}
	if said.Token == "" {
		said.Token = said.AccessToken
	}
	if said.Token == "" {
		return token{}, errors.New("the answer has no token")
	}
	lasts := time.Minute
	if said.ExpiresIn > 0 {
		lasts = time.Duration(said.ExpiresIn) * time.Second
	}
	return token{said.Token, time.Now().Add(lasts / 2)}, nil
}
