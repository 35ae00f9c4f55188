package main

import (
	"bufio"
	"context"
	"io"
	"net/url"
	"strings"

	"aorta/pacemaker/cluster"
	"aorta/web/client/contexts"
)

// endpoint is the cluster's address and token, and where each was set.
type endpoint struct {
	url, urlFrom     string
	token, tokenFrom string
	context          string // name of the context that they come from; empty if none
}

// findEndpoint takes address and token each from flags, else the environment,
// else the contexts' file.
func (s *session) findEndpoint(ctx context.Context) error {
	d := &s.endpoint
	file, err := s.fromFile(ctx, d)
	if err != nil {
		return err
	}
	env := s.p.Getenv
	if s.flags.context != "" {
		env = func(string) string { return "" } // --context overrides all of it
	}
	override(&d.url, &d.urlFrom, env("AORTA_URL"), "AORTA_URL")
	override(&d.url, &d.urlFrom, s.flags.url, "--url")
	d.keepToken(file)
	override(&d.token, &d.tokenFrom, env("AORTA_TOKEN"), "AORTA_TOKEN")
	token, err := s.tokenFlag()
	if err != nil {
		return err
	}
	override(&d.token, &d.tokenFrom, token, "--token")
	if d.url == "" && file.Current == "" && len(file.Contexts) > 0 {
		return usagef("%s", noneCurrent(file))
	}
	return d.check()
}

// check fails if the address or the token is missing.
func (d *endpoint) check() error {
	switch {
	case d.url == "":
		return usagef("not logged in to a cluster; log in first: aorta login URL --token -")
	case d.token == "":
		return &cluster.Error{Code: cluster.CodeForbidden, Message: "no token for " + d.url + "; log in first: aorta login " + d.url + " --token -"}
	}
	return nil
}

// keepToken drops the context's token if the address is another cluster's, and
// uses that cluster's context if there is one.
func (d *endpoint) keepToken(file contexts.File) {
	if d.context == "" || sameServer(d.url, file.Contexts[d.context].URL) {
		return
	}
	d.token, d.tokenFrom, d.context = "", "", ""
	for _, name := range file.Names() {
		if c := file.Contexts[name]; sameServer(c.URL, d.url) {
			d.token, d.tokenFrom, d.context = c.Token, "context "+name, name
			return
		}
	}
}

// override replaces a value and its origin, unless the new one is empty.
func override(value, from *string, with, origin string) {
	if with != "" {
		*value, *from = with, origin
	}
}

func (s *session) fromFile(ctx context.Context, d *endpoint) (contexts.File, error) {
	path, err := contexts.Path(s.p.Getenv)
	if err != nil {
		if s.flags.context != "" {
			return contexts.File{}, err
		}
		return contexts.File{}, nil // flags and environment may be enough
	}
	file, err := contexts.Load(path)
	if err != nil {
		return file, err
	}
	name := s.flags.context
	if name == "" {
		name = s.contextOfRemote(ctx, file)
	}
	c, ok := file.Contexts[name]
	switch {
	case ok:
		origin := "context " + name + " in " + path
		*d = endpoint{url: c.URL, urlFrom: origin, token: c.Token, tokenFrom: origin, context: name}
	case s.flags.context != "":
		return file, cluster.NotFound("there is no context %q (the known ones: aorta contexts)", clean(name))
	}
	return file, nil
}

// contextOfRemote is the current context, unless the app comes from a git remote
// on another known cluster: `aorta logs` in a repository must not show an app of
// the same name on a different cluster.
func (s *session) contextOfRemote(ctx context.Context, file contexts.File) string {
	if s.flags.app != "" || s.p.Getenv("AORTA_APP") != "" || !s.needsApp {
		return file.Current
	}
	r := s.findRemote(ctx)
	if r == nil || r.server == "" || sameServer(file.Contexts[file.Current].URL, r.server) {
		return file.Current
	}
	for _, name := range file.Names() {
		if sameServer(file.Contexts[name].URL, r.server) {
			return name
		}
	}
	return file.Current
}

func sameServer(a, b string) bool {
	u, err := url.Parse(a)
	v, err2 := url.Parse(b)
	return err == nil && err2 == nil && u.Host != "" && strings.EqualFold(u.Host, v.Host) && u.Scheme == v.Scheme
}

// tokenFlag is the value of --token, read from stdin if it is "-".
func (s *session) tokenFlag() (string, error) {
	if s.flags.token != "-" {
		return s.flags.token, nil
	}
	line, err := bufio.NewReader(io.LimitReader(s.in, 64<<10)).ReadString('\n')
	if line = strings.TrimSpace(line); line == "" {
		if err != nil && err != io.EOF {
			return "", err
		}
		return "", usagef("there is no token on stdin")
	}
	return line, nil
}
