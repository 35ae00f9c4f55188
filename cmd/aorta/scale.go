package main

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

// wish is how many instances of a process type a person asks for.
type wish struct {
	kind     string
	n        int
	relative bool // n more than there are to be now
	reset    bool // as many as the source asks for
}

var quantity = regexp.MustCompile(`^([^=+]+?)([=+-])(\d+)$|^([^=+]+)=$`)

// parseWish parses web=3, web+1, web-1 and web=.
func parseWish(arg string) (wish, error) {
	parts := quantity.FindStringSubmatch(arg)
	if parts == nil {
		return wish{}, usagef("%q is not of the form TYPE=NUMBER (web=3; web+1 for one more, web-1 for one less)", clean(arg))
	}
	if typ := parts[4]; typ != "" {
		return wish{kind: typ, reset: true}, cluster.ValidateName("type", typ)
	}
	n, err := strconv.Atoi(parts[3])
	if err != nil {
		return wish{}, usagef("%q is not a number of instances", clean(parts[3]))
	}
	if parts[2] == "-" {
		n = -n
	}
	return wish{kind: parts[1], n: n, relative: parts[2] != "="}, cluster.ValidateName("type", parts[1])
}

func (s *session) scale(ctx context.Context, api *client.Client, app string, args []string) error {
	if len(args) == 0 {
		return s.showFormation(ctx, api, app)
	}
	change, err := s.wishes(ctx, api, app, args)
	if err != nil {
		return err
	}
	return s.changeFormation(ctx, api, app, change)
}

// wishes is what the arguments ask for.
func (s *session) wishes(ctx context.Context, api *client.Client, app string, args []string) (wire.FormationChange, error) {
	change := wire.FormationChange{Types: map[string]wire.ProcessChange{}}
	for _, arg := range args {
		w, err := parseWish(arg)
		n := w.n
		if err == nil && w.relative {
			n, err = s.more(ctx, api, app, w)
		}
		if err != nil {
			return change, err
		}
		if err := cluster.ValidateQuantity(w.kind, n); err != nil {
			return change, err
		}
		if _, twice := change.Types[w.kind]; twice {
			return change, usagef("%s is named twice", w.kind)
		}
		change.Types[w.kind] = w.change(n)
	}
	return change, nil
}

// change is what is asked of the API. That counts a relative wish from what it keeps
// then, so that of several at once each counts; n is what it comes to as things are.
func (w wish) change(n int) wire.ProcessChange {
	if w.reset {
		return wire.ProcessChange{Reset: []string{"quantity"}}
	}
	if w.relative && w.n != 0 {
		return wire.ProcessChange{More: w.n}
	}
	return wire.ProcessChange{Quantity: &n}
}

// more works a relative wish out, and says what it comes to as things are.
func (s *session) more(ctx context.Context, api *client.Client, app string, w wish) (int, error) {
	f, err := api.Formation(ctx, app)
	if err != nil {
		return 0, err
	}
	var names []string
	for _, p := range f.Processes {
		if p.Type == w.kind {
			if p.Quantity+w.n < 0 {
				return 0, usagef("%s has %d of %s: %d fewer is less than none", app, p.Quantity, w.kind, -w.n)
			}
			if !s.flags.detach {
				s.err.line("%s: from %d to %d", w.kind, p.Quantity, p.Quantity+w.n)
			}
			return p.Quantity + w.n, nil
		}
		names = append(names, p.Type)
	}
	return 0, cluster.NotFound("%s has no process type %q (it has: %s)", app, w.kind, orText(strings.Join(names, ", "), "none before its first deploy"))
}
