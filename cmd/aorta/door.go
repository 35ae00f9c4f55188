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

// door is where the cluster is, and where that was learned.
type door struct {
	url, urlFrom     string
	token, tokenFrom string
	context          string // name of the context it is from; empty when from none
}

// findDoor goes by flag, environment and contexts' file, in this order, for
// address and token each.
func (s *session) findDoor(ctx context.Context) error {
	d := &s.door
	file, err := s.fromFile(ctx, d)
	if err != nil {
		return err
	}
	env := s.p.Getenv
	if s.flags.context != "" {
		env = func(string) string { return "" } // a flag that names all of it
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
	return d.check()
}

// check refuses what can't be spoken to.
func (d *door) check() error {
	switch {
	case d.url == "":
		return usagef("no cluster is known; log in to one first: aorta login URL --token -")
	case d.token == "":
		return &cluster.Error{Code: cluster.CodeForbidden, Message: "no token for " + d.url + " is known; log in first: aorta login " + d.url + " --token -"}
	}
	return nil
}

// keepToken takes the token of a context away from an address that is another
// cluster's, and looks for the context that is that cluster's.
func (d *door) keepToken(file contexts.File) {
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

// override replaces a value and says where the new one is from.
func override(value, from *string, with, origin string) {
	if with != "" {
		*value, *from = with, origin
	}
}

func (s *session) fromFile(ctx context.Context, d *door) (contexts.File, error) {
	path, err := contexts.Path(s.p.Getenv)
	if err != nil {
		if s.flags.context != "" {
			return contexts.File{}, err
		}
		return contexts.File{}, nil // flags and environment may say it all
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
		*d = door{url: c.URL, urlFrom: origin, token: c.Token, tokenFrom: origin, context: name}
	case s.flags.context != "":
		return file, cluster.NotFound("there is no context %q (the known ones: aorta contexts)", clean(name))
	}
	return file, nil
}

// contextOfRemote is the current context, unless the app comes from the git
// remote and that lies on another known cluster: `aorta logs` in a repository
// must not show an app of the same name elsewhere.
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

// tokenFlag is the value of --token, read from the input when it is "-".
func (s *session) tokenFlag() (string, error) {
	if s.flags.token != "-" {
		return s.flags.token, nil
	}
	line, err := bufio.NewReader(io.LimitReader(s.in, 64<<10)).ReadString('\n')
	if line = strings.TrimSpace(line); line == "" {
		if err != nil && err != io.EOF {
			return "", err
		}
		return "", usagef("the input holds no token")
	}
	return line, nil
}
