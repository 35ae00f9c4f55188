package main

import (
	"context"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
)

// session is one run of the program: streams, flags, and what they resolve to.
// One goroutine uses it.
type session struct {
	p        *Program
	in       io.Reader
	out, err *screen
	command  *cobra.Command // the one that was asked for, once it has ended
	started  bool           // a command's own code runs
	flags    struct {
		url, token, context, app string
		json, wide, detach       bool
	}
	needsApp bool // the command is about one app
	endpoint endpoint
	remote   *remote // of the repository; nil before findRemote
	api      *client.Client
}

func (s *session) close() {
	if s.api != nil {
		s.api.Close()
	}
}

// begin runs before a command's own code.
func (s *session) begin() {
	s.started = true
	if s.flags.wide {
		s.out.width, s.err.width = 0, 0
	}
}

func (s *session) path(p string) string {
	if filepath.IsAbs(p) || s.p.Dir == "" {
		return p
	}
	return filepath.Join(s.p.Dir, p)
}

// client makes the API's client, once.
func (s *session) client(ctx context.Context) (*client.Client, error) {
	if s.api != nil {
		return s.api, nil
	}
	if err := s.findEndpoint(ctx); err != nil {
		return nil, err
	}
	api, err := s.connect(s.endpoint)
	if err == nil {
		s.api = api
	}
	return api, err
}

func (s *session) connect(d endpoint) (*client.Client, error) {
	return client.New(d.url, d.token, client.Options{
		UserAgent: "aorta/" + versionName(),
		Notice:    func(msg string) { s.err.line("%s", cleanBlock(msg)) },
	})
}

// app returns the app that the command is about, and the client.
func (s *session) app(ctx context.Context) (string, *client.Client, error) {
	s.needsApp = true
	name := s.flags.app
	if name == "" {
		name = s.p.Getenv("AORTA_APP")
	}
	if name == "" {
		if r := s.findRemote(ctx); r != nil {
			name = r.app
		}
	}
	if name == "" {
		return "", nil, usagef("which app? Give -a APP or AORTA_APP, or run this in a repository with the git remote %q", remoteName)
	}
	if err := cluster.ValidateName("app", name); err != nil {
		return "", nil, err
	}
	api, err := s.client(ctx)
	return name, api, err
}

// onApp runs a command about one app.
func (s *session) onApp(run func(ctx context.Context, api *client.Client, app string, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		app, api, err := s.app(cmd.Context())
		if err != nil {
			return err
		}
		return run(cmd.Context(), api, app, args)
	}
}

// onCluster runs a command that is not about one app.
func (s *session) onCluster(run func(ctx context.Context, api *client.Client, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		api, err := s.client(cmd.Context())
		if err != nil {
			return err
		}
		return run(cmd.Context(), api, args)
	}
}
