package main

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

func nodesTokenCommand(s *session) *cobra.Command {
	var ask wire.NewJoinToken
	var tags []string
	var replace bool
	cmd := &cobra.Command{
		Use: "token", Short: "Make a token that machines join the cluster with", Args: takes(),
		Long: `Make a token that a machine joins the cluster with. The token alone goes to
stdout, the whole line to type on that machine to stderr.`,
		Example: `  aorta nodes token
  aorta nodes token --name n2 --roles heart,router --tag disk=ssd
  aorta nodes token --uses 10 --expires 1d`,
		RunE: s.onCluster(func(ctx context.Context, api *client.Client, _ []string) (err error) {
			if ask.Tags, err = parseTags(tags, false); err != nil {
				return err
			}
			if err := checkToken(ask, replace); err != nil {
				return err
			}
			created, err := api.CreateJoinToken(ctx, ask)
			if err != nil {
				return err
			}
			return s.showToken(created, replace)
		}),
	}
	cmd.Flags().StringVar(&ask.Name, "name", "", "the node's name (default: the machine says)")
	cmd.Flags().StringSliceVar(&ask.Roles, "roles", nil, "the roles that it has (default: the machine says, else heart,router)")
	cmd.Flags().StringArrayVar(&tags, "tag", nil, "a tag that is set on it, KEY or KEY=VALUE (can be repeated)")
	cmd.Flags().IntVar(&ask.Uses, "uses", 1, "how many machines may join by it")
	cmd.Flags().StringVar(&ask.Expires, "expires", "1h", "for how long it can be used, such as 30m or 7d")
	cmd.Flags().BoolVar(&replace, "replace", false, "the machine takes the place of a silent node of that name")
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "List tokens that can be used", Args: takes(), RunE: s.onCluster(s.listTokens)},
		&cobra.Command{Use: "revoke TOKEN-ID", Short: "End a token before its time", Args: takes("TOKEN-ID"), Example: "  aorta nodes token revoke 3f9a2c1b", RunE: s.onCluster(s.revokeToken)},
	)
	return cmd
}

// joiningRoles are the roles that a token can give.
var joiningRoles = []string{string(cluster.RoleHeart), string(cluster.RoleRouter), string(cluster.RoleBuilder)}

// checkToken finds what is wrong before anything is asked.
func checkToken(ask wire.NewJoinToken, replace bool) error {
	want := cluster.JoinToken{Name: ask.Name, Tags: ask.Tags, Uses: ask.Uses, ExpiresAt: time.Unix(0, 0)}
	if len(ask.Roles) > 0 {
		for _, r := range ask.Roles {
			if err := oneOf(r, joiningRoles); err != nil && r != string(cluster.RolePacemaker) { // of which it is said below why it is none
				return usagef("--roles: %w", err)
			}
		}
		roles, err := cluster.ParseRoles("roles", ask.Roles)
		if err != nil {
			return err
		}
		want.Roles = roles
	}
	life, err := parseSpan(ask.Expires)
	if err != nil {
		return err
	}
	want.ExpiresAt = want.ExpiresAt.Add(life)
	if replace && ask.Name == "" {
		return usagef("name the node that is replaced: --name NAME")
	}
	return want.Validate(time.Unix(0, 0))
}

func (s *session) showToken(t wire.JoinTokenCreated, replace bool) error {
	if s.flags.json {
		return s.out.json(t)
	}
	s.err.line("For %s, until %s. There, as root:", count(t.Uses, "machine"), t.ExpiresAt.Local().Format("2006-01-02 15:04"))
	line := clean(t.Command) + " " + clean(t.Token) + " --data-dir /var/lib/aorta"
	if replace {
		line += " --replace"
	}
	s.err.line("  %s", line)
	if !t.Reachable {
		s.err.line("Other machines can't reach this cluster yet: start its daemon with --node-address and this machine's private address.")
	}
	s.out.line("%s", clean(t.Token))
	return nil
}

func (s *session) listTokens(ctx context.Context, api *client.Client, _ []string) error {
	tokens, err := api.JoinTokens(ctx)
	if err != nil {
		return err
	}
	if s.flags.json {
		return list(s.out, tokens)
	}
	t := s.out.newTable("ID", "NAME", "ROLES", "TAGS", "USED", "EXPIRES", "BY")
	for _, k := range tokens {
		t.row(cluster.ID(k.ID).Short(), orAny(k.Name), orAny(strings.Join(k.Roles, ",")), tagText(k.Tags), strconv.Itoa(k.Used)+" of "+strconv.Itoa(k.Uses), "in "+span(k.ExpiresAt.Sub(s.p.Now())), k.CreatedBy)
	}
	return t.print("no join tokens; make one: aorta nodes token")
}

// orAny is what a token leaves to the machine.
func orAny(bound string) string { return cmp.Or(bound, "any") }

func (s *session) revokeToken(ctx context.Context, api *client.Client, args []string) error {
	if err := api.RevokeJoinToken(ctx, args[0]); err != nil {
		return err
	}
	s.err.line("Revoked the join token %s", clean(args[0]))
	return nil
}
