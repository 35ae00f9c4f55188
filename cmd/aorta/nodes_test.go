package main

import (
	"strings"
	"testing"
	"time"

	"aorta/web/wire"
)

// An undrain says what is true of the node: also that it was not drained, and that it is
// not there to take anything.
func TestNodesUndrain_SaysWhatIsTrue(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		before, after wire.NodeFacts
		want          string
	}{
		"the only one":      {wire.NodeFacts{Draining: true}, wire.NodeFacts{State: "ready", Tags: map[string]string{"alone": ""}}, "n1 takes instances again\n"},
		"drained":           {wire.NodeFacts{Draining: true}, wire.NodeFacts{State: "ready"}, "n1 takes instances again: those of which"},
		"half drained":      {wire.NodeFacts{Draining: true}, wire.NodeFacts{State: "ready", Instances: 2}, "n1 takes instances again, beside the 2 instances that it has: those of which"},
		"drained and dead":  {wire.NodeFacts{Draining: true}, wire.NodeFacts{State: "dead"}, "n1 takes instances again once it is back: it is dead\n"},
		"not drained":       {wire.NodeFacts{}, wire.NodeFacts{State: "ready", Instances: 2}, "n1 was not drained: nothing has changed\n"},
		"dead, not drained": {wire.NodeFacts{}, wire.NodeFacts{State: "dead"}, "n1 was not drained, and gets no instances because it is dead (see aorta nodes show n1)\n"},
	} {
		api := newAPI(t)
		c.before.Name, c.after.Name = "n1", "n1"
		api.on("GET /nodes/n1", 200, wire.Node{NodeFacts: c.before})
		api.on("POST /nodes/n1/undrain", 200, wire.Node{NodeFacts: c.after})
		others := []wire.Node{{NodeFacts: c.after}, {NodeFacts: wire.NodeFacts{Name: "edge", Roles: []string{"router"}}}}
		if c.after.Tags == nil {
			others = append(others, wire.Node{NodeFacts: wire.NodeFacts{Name: "n2", Roles: []string{"heart"}}})
		}
		api.on("GET /nodes", 200, wire.Page[wire.Node]{Items: others})

		got := newCLI(t, api).run("nodes", "undrain", "n1")

		if got.code != 0 || !strings.HasPrefix(got.err, c.want) {
			t.Errorf("%s: got exit %d, %q, want %q", what, got.code, got.err, c.want)
		}
	}
}

// What ran on a dead node may run elsewhere long since, which its declaration says.
func TestNodesDeclareDead_SaysWhatIsReplaced(t *testing.T) {
	t.Parallel()
	in := func(state string) wire.NodeInstance { return wire.NodeInstance{Instance: wire.Instance{State: state}} }
	for want, list := range map[string][]wire.NodeInstance{
		"n1 counts as dead: nothing there is to be replaced\n":                                     {},
		"n1 counts as dead: all that ran there runs elsewhere\n":                                   {in("draining"), in("draining")},
		"n1 counts as dead: 1 instance there is not replaced yet (to follow it: aorta status)\n":   {in("draining"), in("running")},
		"n1 counts as dead: 2 instances there are not replaced yet (to follow it: aorta status)\n": {in("running"), in("starting")},
	} {
		api := newAPI(t)
		api.on("POST /nodes/n1/declare-dead", 200, wire.Node{NodeFacts: wire.NodeFacts{Name: "n1", State: "dead"}})
		api.on("GET /nodes/n1/instances", 200, wire.Page[wire.NodeInstance]{Items: list})

		if got := newCLI(t, api).run("nodes", "declare-dead", "n1"); got.code != 0 || got.err != want {
			t.Errorf("got exit %d, %q, want %q", got.code, got.err, want)
		}
	}
}

func TestNodesShow_SaysSinceWhenAndUntilWhen(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	c := newCLI(t, api)
	none := wire.Page[wire.NodeInstance]{Items: []wire.NodeInstance{}}
	until := time.Date(2026, 3, 1, 3, 4, 5, 0, time.UTC)
	for node, state := range map[string]struct {
		facts wire.NodeFacts
		want  string
	}{
		"n1": {wire.NodeFacts{State: "ready"}, "state      ready\n"},
		"n2": {wire.NodeFacts{State: "dead", Draining: true, Since: ago(3 * time.Minute)}, "state      dead for 3m, to be drained\n"},
		"n3": {wire.NodeFacts{State: "ready", HeldUntil: &until}, "state      held: it was dead, and while others have room it gets nothing new\n           until 03:04:05 UTC\n"},
	} {
		state.facts.Name = node
		api.on("GET /nodes/"+node, 200, wire.Node{NodeFacts: state.facts})
		api.on("GET /nodes/"+node+"/instances", 200, none)

		got := c.run("nodes", "show", node)

		if got.code != 0 || !strings.Contains(got.out, state.want) {
			t.Errorf("%s: got exit %d\n%s\nwant it to hold %q", node, got.code, got.out, state.want)
		}
	}
}
