package main

import (
	"strings"
	"testing"
	"time"

	"aorta/web/wire"
)

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
