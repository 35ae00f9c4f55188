package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aorta/web/client"
	"aorta/web/client/contexts"
)

const (
	// completionTimeout bounds how long a shell waits for the cluster.
	completionTimeout = time.Second
	// completed is how many of the newest releases and jobs are offered.
	completed = 50
)

// completes offers what is found, but for what is there already; nothing, and no
// word of it, when the cluster can't be asked.
func completes(find func(ctx context.Context) ([]string, error)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
		defer cancel()
		found, err := find(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return slices.DeleteFunc(found, func(offer string) bool {
			name, _, _ := strings.Cut(offer, "\t")
			return slices.Contains(args, name)
		}), cobra.ShellCompDirectiveNoFileComp
	}
}

// ofCluster completes by what the cluster has.
func (s *session) ofCluster(find func(ctx context.Context, api *client.Client) ([]string, error)) cobra.CompletionFunc {
	return completes(func(ctx context.Context) ([]string, error) {
		api, err := s.client(ctx)
		if err != nil {
			return nil, err
		}
		return find(ctx, api)
	})
}

// ofApp completes by what the app has.
func (s *session) ofApp(find func(ctx context.Context, api *client.Client, app string) ([]string, error)) cobra.CompletionFunc {
	return completes(func(ctx context.Context) ([]string, error) {
		app, api, err := s.app(ctx)
		if err != nil {
			return nil, err
		}
		return find(ctx, api, app)
	})
}

// once offers for the first argument alone.
func once(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, typed)
	}
}

// beginning offers names that a value follows, as in KEY=VALUE.
func beginning(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		names, directive := complete(cmd, args, typed)
		for i := range names {
			names[i] += "="
		}
		return names, directive | cobra.ShellCompDirectiveNoSpace
	}
}

func (s *session) completeContexts(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	path, err := contexts.Path(s.p.Getenv)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	file, err := contexts.Load(path)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return file.Names(), cobra.ShellCompDirectiveNoFileComp
}

func (s *session) completeApps() cobra.CompletionFunc {
	return s.ofCluster(func(ctx context.Context, api *client.Client) ([]string, error) {
		var names []string
		for a, err := range api.Apps(ctx) {
			if err != nil {
				return nil, err
			}
			names = append(names, a.Name)
		}
		return names, nil
	})
}

func (s *session) completeNodes() cobra.CompletionFunc {
	return s.ofCluster(func(ctx context.Context, api *client.Client) ([]string, error) {
		nodes, err := api.Nodes(ctx)
		var names []string
		for _, n := range nodes {
			names = append(names, n.Name)
		}
		return names, err
	})
}

// completeJobs offers the newest jobs by their short ids, those of the app if one is named.
func (s *session) completeJobs(q client.JobQuery) cobra.CompletionFunc {
	return s.ofCluster(func(ctx context.Context, api *client.Client) ([]string, error) {
		q.App = s.flags.app
		jobs, err := client.Collect(api.Jobs(ctx, q), completed)
		var ids []string
		for _, j := range jobs {
			ids = append(ids, cobra.CompletionWithDesc(short(j.ID), titleOf(j)+", "+stateWord(j.State)))
		}
		return ids, err
	})
}

func (s *session) completeReleases() cobra.CompletionFunc {
	return s.ofApp(func(ctx context.Context, api *client.Client, app string) ([]string, error) {
		releases, err := client.Collect(api.Releases(ctx, app), completed)
		var labels []string
		for _, r := range releases {
			labels = append(labels, cobra.CompletionWithDesc(r.Release, clean(orText(firstLine(r.Message), r.State))))
		}
		return labels, err
	})
}

func (s *session) completeConfigKeys() cobra.CompletionFunc {
	return s.ofApp(func(ctx context.Context, api *client.Client, app string) ([]string, error) {
		cfg, err := api.Config(ctx, app)
		return slices.Sorted(maps.Keys(cfg.Vars)), err
	})
}

func (s *session) completeSecrets() cobra.CompletionFunc {
	return s.ofApp(func(ctx context.Context, api *client.Client, app string) ([]string, error) {
		secrets, err := api.BuildSecrets(ctx, app)
		return secrets.Names, err
	})
}

func (s *session) completeTypes() cobra.CompletionFunc {
	return s.ofApp(func(ctx context.Context, api *client.Client, app string) ([]string, error) {
		formation, err := api.Formation(ctx, app)
		var types []string
		for _, p := range formation.Processes {
			types = append(types, p.Type)
		}
		return types, err
	})
}

func (s *session) completeInstances() cobra.CompletionFunc {
	return s.ofApp(func(ctx context.Context, api *client.Client, app string) ([]string, error) {
		instances, err := api.Instances(ctx, app)
		var names []string
		for _, i := range instances {
			names = append(names, cobra.CompletionWithDesc(instanceName(i.Type, i.ID), i.Release+" on "+i.Node))
		}
		return names, err
	})
}

// completeHosts offers the domains that can be removed.
func (s *session) completeHosts() cobra.CompletionFunc {
	return s.ofApp(func(ctx context.Context, api *client.Client, app string) ([]string, error) {
		domains, err := api.Domains(ctx, app)
		var hosts []string
		for _, d := range domains {
			if !d.Own {
				hosts = append(hosts, d.Host)
			}
		}
		return hosts, err
	})
}
