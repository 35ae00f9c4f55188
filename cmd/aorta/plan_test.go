package main

import (
	"slices"
	"strings"
	"testing"

	"aorta/web/wire"
)

// A script reads by the exit code whether something would change.
func TestPlan_SaysByItsExitCodeWhatWouldBe(t *testing.T) {
	start := wire.PlanStep{Action: "start", App: "shop", Type: "web", Node: "n2"}
	missing := wire.PlanMissing{App: "shop", Type: "web", Count: 1, Reason: "n1 lacks tag ssd"}
	for what, c := range map[string]struct {
		plan wire.Plan
		args string
		code int
		says string
		asks string
	}{
		"nothing":            {wire.Plan{}, "plan ps scale web=2 -a shop", 0, "Nothing would change.", `{"types":{"web":{"quantity":2}}}`},
		"an instance more":   {wire.Plan{Changes: true, Steps: []wire.PlanStep{start}}, "plan ps scale web+1 -a shop", 10, "start  shop  web   n2    (new)", `{"types":{"web":{"quantity_delta":1}}}`},
		"a preference":       {wire.Plan{Changes: true}, "plan ps type web --prefer eu -a shop", 10, "What is set would change; no instance", `{"types":{"web":{"prefer":["eu"]}}}`},
		"no room":            {wire.Plan{Changes: true, Missing: []wire.PlanMissing{missing}}, "plan ps type web --require=ssd -a shop", 1, "1 web of shop would find no node: n1 lacks tag ssd", `{"types":{"web":{"require":["ssd"]}}}`},
		"a node of no use":   {wire.Plan{}, "plan nodes drain n1", 0, "Nothing would change.", ""},
		"a node with some":   {wire.Plan{Changes: true, Steps: []wire.PlanStep{start}, Missing: []wire.PlanMissing{missing}}, "plan drain n1", 10, "1 web of shop would find no node", ""},
		"a node, for a tool": {wire.Plan{Changes: true, Steps: []wire.PlanStep{start}}, "plan drain n1 --json", 10, `"action": "start"`, ""},
	} {
		t.Run(what, func(t *testing.T) {
			api := newAPI(t)
			api.on("GET /apps/shop/formation", 200, wire.Formation{Processes: []wire.Process{{Type: "web", Quantity: 2}}})
			api.on("POST /apps/shop/formation/plan", 200, c.plan)
			api.on("GET /nodes/n1/drain/plan", 200, c.plan)

			got := newCLI(t, api).run(strings.Fields(c.args)...)

			wantCode(t, got, c.code)
			wantIn(t, "output", got.out+got.err, c.says)
			var want []string
			if c.asks != "" {
				want = []string{"POST /apps/shop/formation/plan " + c.asks}
			}
			if writes := api.writes(); !slices.Equal(writes, want) {
				t.Errorf("got writes %q, want %q", writes, want)
			}
		})
	}
}
