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

// remoteName is the git remote that says which app a repository is.
const remoteName = "aorta"

// remote is what a repository's remote says.
type remote struct {
	url    string
	server string // scheme and host of an http remote; empty for ssh
	app    string
}

// parseRemote reads http(s)://HOST/…/git/NAME.git or ssh://git@HOST:PORT/NAME.git.
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

// remoteURL is where an app is pushed to over HTTP.
func remoteURL(server, app string) string {
	return strings.TrimRight(server, "/") + "/git/" + app + ".git"
}

// findRemote asks git for the remote, once; nil when there is none of ours.
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

// git runs git in the program's directory and gives what it printed.
func (s *session) git(ctx context.Context, args ...string) (string, error) {
	return gitIn(ctx, s.p.Dir, args...)
}

func gitIn(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && said.Len() > 0 {
			return "", fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(said.String()))
		}
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return out.String(), nil
}

// addRemote points the repository's remote at a new app, when there is a
// repository, and says what it did. A remote that exists is left alone.
func (s *session) addRemote(ctx context.Context, app string) error {
	if _, err := s.git(ctx, "rev-parse", "--git-dir"); err != nil {
		return nil
	}
	want := remoteURL(s.door.url, app)
	raw, err := s.git(ctx, "config", "--get", "remote."+remoteName+".url")
	if have := strings.TrimSpace(raw); err == nil && have != want {
		s.err.line("the git remote %s exists already and points to %s; to change it: git remote set-url %s %s", remoteName, clean(have), remoteName, want)
		return nil
	}
	if err != nil {
		if _, err := s.git(ctx, "remote", "add", "--", remoteName, want); err != nil {
			return fmt.Errorf("add the git remote: %w", err)
		}
		s.err.line("git remote %s added: %s", remoteName, want)
	}
	return s.setCredentialHelper(ctx)
}

// moveRemote follows an app to its new name.
func (s *session) moveRemote(ctx context.Context, before, after string) error {
	r := s.findRemote(ctx)
	if r == nil || r.url != remoteURL(s.door.url, before) {
		return nil
	}
	want := remoteURL(s.door.url, after)
	if _, err := s.git(ctx, "remote", "set-url", "--", remoteName, want); err != nil {
		return fmt.Errorf("change the git remote: %w", err)
	}
	s.err.line("git remote %s now points to %s", remoteName, want)
	return nil
}

// setCredentialHelper makes git ask this program for the token of the cluster,
// in this repository alone. The empty entry first keeps helpers that were
// configured elsewhere from storing what they see.
func (s *session) setCredentialHelper(ctx context.Context) error {
	u, err := url.Parse(s.door.url)
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

// credentialHelper is the command that git hands to its shell.
func (s *session) credentialHelper() string {
	helper := "!"
	if file := s.p.Getenv("AORTA_CONFIG"); file != "" {
		helper += "AORTA_CONFIG=" + shellQuote(s.path(file)) + " "
	}
	helper += shellQuote(s.p.Executable) + " git-credential"
	if s.door.context != "" {
		helper += " --context " + shellQuote(s.door.context)
	}
	return helper
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
