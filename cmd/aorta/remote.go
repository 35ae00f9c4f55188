package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strings"

	"aorta/pacemaker/cluster"
)

// remoteName is the git remote that names a repository's app.
const remoteName = "aorta"

// remote is a parsed URL of a git remote.
type remote struct {
	url    string
	server string // scheme and host of an http remote; empty for ssh
	app    string
}

// parseRemote parses http(s)://HOST/…/git/NAME.git or ssh://git@HOST:PORT/NAME.git.
func parseRemote(raw string) (remote, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return remote{}, false
	}
	r := remote{url: raw}
	path := strings.TrimSuffix(u.Path, "/")
	switch u.Scheme {
	case "http", "https":
		before, name, found := strings.Cut(path, "/git/")
		if !found {
			return remote{}, false
		}
		r.app, r.server = name, u.Scheme+"://"+u.Host+before
	case "ssh":
		r.app = strings.TrimPrefix(path, "/")
	default:
		return remote{}, false
	}
	r.app = strings.TrimSuffix(r.app, ".git")
	return r, cluster.ValidateName("app", r.app) == nil
}

// remoteURL is the URL that an app is pushed to over HTTP.
func remoteURL(server, app string) string {
	return strings.TrimRight(server, "/") + "/git/" + app + ".git"
}

// findRemote returns the repository's remote named aorta, asked for once; nil if
// there is none.
func (s *session) findRemote(ctx context.Context) *remote {
	if s.remote == nil {
		s.remote = &remote{}
		if raw, err := s.git(ctx, "config", "--get", "remote."+remoteName+".url"); err == nil {
			if r, ok := parseRemote(strings.TrimSpace(raw)); ok {
				s.remote = &r
			}
		}
	}
	if s.remote.app == "" {
		return nil
	}
	return s.remote
}

// git runs git in the program's directory and returns its output.
func (s *session) git(ctx context.Context, args ...string) (string, error) {
	return gitIn(ctx, s.p.Dir, args...)
}

func gitIn(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && stderr.Len() > 0 {
			return "", fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(stderr.String()))
		}
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return out.String(), nil
}

// addRemote adds the remote of a new app, if there is a repository, and prints
// so. A remote that exists is not changed.
func (s *session) addRemote(ctx context.Context, app string) error {
	if _, err := s.git(ctx, "rev-parse", "--git-dir"); err != nil {
		return nil
	}
	want := remoteURL(s.endpoint.url, app)
	raw, err := s.git(ctx, "config", "--get", "remote."+remoteName+".url")
	if have := strings.TrimSpace(raw); err == nil && have != want {
		s.err.line("git remote %s already exists (%s); to change it: aorta git:remote -a %s", remoteName, clean(have), app)
		return nil
	}
	if err != nil {
		if err := s.setRemote(ctx, want); err != nil {
			return err
		}
		s.err.line("added git remote %s: %s", remoteName, want)
	}
	return s.setCredentialHelper(ctx)
}

// setRemote sets the remote by its keys, which git remote add and set-url refuse
// to do where one of them is missing or there twice.
func (s *session) setRemote(ctx context.Context, to string) error {
	for key, value := range map[string]string{"url": to, "fetch": "+refs/heads/*:refs/remotes/" + remoteName + "/*"} {
		if _, err := s.git(ctx, "config", "--local", "--replace-all", "remote."+remoteName+"."+key, value); err != nil {
			return fmt.Errorf("set the git remote: %w", err)
		}
	}
	return nil
}

// moveRemote changes the remote to a renamed app's URL.
func (s *session) moveRemote(ctx context.Context, before, after string) error {
	r := s.findRemote(ctx)
	if r == nil || r.url != remoteURL(s.endpoint.url, before) {
		return nil
	}
	want := remoteURL(s.endpoint.url, after)
	if _, err := s.git(ctx, "remote", "set-url", "--", remoteName, want); err != nil {
		return fmt.Errorf("change the git remote: %w", err)
	}
	s.err.line("git remote %s now points to %s", remoteName, want)
	return nil
}

// setCredentialHelper makes git get the cluster's token from this program, in
// this repository alone. The empty entry before it disables helpers configured
// elsewhere, which would store the token.
func (s *session) setCredentialHelper(ctx context.Context) error {
	u, err := url.Parse(s.endpoint.url)
	if err != nil {
		return fmt.Errorf("set the credential helper: %w", err)
	}
	key := "credential." + u.Scheme + "://" + u.Host + ".helper"
	if _, err := s.git(ctx, "config", "--local", "--replace-all", key, ""); err != nil {
		return fmt.Errorf("set the credential helper: %w", err)
	}
	if _, err := s.git(ctx, "config", "--local", "--add", key, s.credentialHelper()); err != nil {
		return fmt.Errorf("set the credential helper: %w", err)
	}
	return nil
}

// credentialHelper is the command that git runs in a shell.
func (s *session) credentialHelper() string {
	helper := "!"
	if file := s.p.Getenv("AORTA_CONFIG"); file != "" {
		helper += "AORTA_CONFIG=" + shellQuote(s.path(file)) + " "
	}
	helper += shellQuote(s.p.Executable) + " git-credential"
	if s.endpoint.context != "" {
		helper += " --context " + shellQuote(s.endpoint.context)
	}
	return helper
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
