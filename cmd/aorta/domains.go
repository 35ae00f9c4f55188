package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

func domainsCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "domains", Short: "List the app's domains; add and remove them",
		RunE: s.onApp(s.listDomains),
	}
	add := &cobra.Command{
		Use: "add HOST", Short: "Add a domain to the app", Args: takes("HOST"),
		Example: "  aorta domains add shop.example.com -a shop", RunE: s.onApp(s.addDomain),
	}
	remove := &cobra.Command{
		Use: "remove HOST", Short: "Remove a domain from the app", Args: takes("HOST"),
		Example: "  aorta domains remove shop.example.com -a shop", ValidArgsFunction: once(s.completeHosts()), RunE: s.onApp(s.removeDomain),
	}
	cmd.AddCommand(add, remove)
	return cmd
}

func (s *session) listDomains(ctx context.Context, api *client.Client, app string, _ []string) error {
	domains, err := api.Domains(ctx, app)
	if err != nil {
		return err
	}
	if s.flags.json {
		return list(s.out, domains)
	}
	t := s.out.newTable("HOST", "KIND", "ADDED")
	for _, d := range domains {
		kind := "added"
		switch {
		case d.Own:
			kind = "default"
		case d.Former:
			kind = "former default"
		case d.Source:
			kind = "aorta.yml"
		}
		t.row(d.Host, kind, age(s.p.Now(), d.CreatedAt))
	}
	return t.print("no domains yet; add one: aorta domains add HOST -a " + app)
}

func (s *session) addDomain(ctx context.Context, api *client.Client, app string, args []string) error {
	host := strings.ToLower(args[0])
	if err := cluster.ValidateHost("host", host); err != nil {
		return err
	}
	d, err := api.AddDomain(ctx, app, host)
	if err != nil {
		return err
	}
	s.err.line("added domain %[2]s to %[1]s", app, clean(d.Host))
	if s.flags.json {
		return s.out.json(d)
	}
	return nil
}

func (s *session) removeDomain(ctx context.Context, api *client.Client, app string, args []string) error {
	host := strings.ToLower(args[0])
	before, err := api.Domains(ctx, app)
	if err != nil {
		return err
	}
	if err := api.RemoveDomain(ctx, app, host); err != nil {
		return err
	}
	s.err.line("removed domain %[2]s from %[1]s", app, clean(host))
	if slices.ContainsFunc(before, func(d wire.Domain) bool { return d.Host == host && d.Source }) {
		s.err.line("aorta.yml asks for it: the next deploy adds it again, unless it is removed there too")
	}
	return nil
}
