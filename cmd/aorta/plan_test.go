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
	other := wire.PlanStep{Action: "start", App: "shop", Type: "web", Node: "n3"}
	stop := wire.PlanStep{Action: "stop", App: "shop", Type: "web", Node: "n1", Instance: webID}
	missing := wire.PlanMissing{App: "shop", Type: "web", Count: 1, Reason: "n1 lacks tag ssd"}
	for what, c := range map[string]struct {
		plan wire.Plan
		args string
		code int
		says string
		asks string
	}{
		"nothing":             {wire.Plan{}, "plan ps scale web=2 -a shop", 0, "Nothing would change.", `{"types":{"web":{"quantity":2}}}`},
		"an instance more":    {wire.Plan{Changes: true, Steps: []wire.PlanStep{start}}, "plan ps scale web+1 -a shop", 10, "start  shop  web   n2    (new)", `{"types":{"web":{"quantity_delta":1}}}`},
		"many more":           {wire.Plan{Changes: true, Steps: []wire.PlanStep{start, other, start, other, start}}, "plan ps scale web+5 -a shop", 10, "start  shop  web   n2    (3 new)\nstart  shop  web   n3    (2 new)\n", `{"types":{"web":{"quantity_delta":5}}}`},
		"a move after a move": {wire.Plan{Changes: true, Steps: []wire.PlanStep{start, stop, start, stop}}, "plan drain n1", 10, "(new)\nstop   shop  web   n1    web.", ""},
		"the last node":       {wire.Plan{Changes: true, Last: true}, "plan drain n1", 10, "No other node takes instances: until one does, deploys, restarts and changes of all apps fail.", ""},
		"a preference":        {wire.Plan{Changes: true}, "plan ps type web --prefer eu -a shop", 10, "What is set would change; no instance", `{"types":{"web":{"prefer":["eu"]}}}`},
		"no room":             {wire.Plan{Changes: true, Missing: []wire.PlanMissing{missing}}, "plan ps type web --require=ssd -a shop", 1, "1 web of shop would find no node: n1 lacks tag ssd", `{"types":{"web":{"require":["ssd"]}}}`},
		"a node of no use":    {wire.Plan{}, "plan nodes drain n1", 0, "Nothing would change.", ""},
		"a node with some":    {wire.Plan{Changes: true, Steps: []wire.PlanStep{start}, Missing: []wire.PlanMissing{missing}}, "plan drain n1", 1, "1 web of shop would find no node", ""},
		"a node that is full": {wire.Plan{Changes: true, Missing: []wire.PlanMissing{missing}}, "plan drain n1", 1, "1 web of shop would find no node", ""},
		"an empty node":       {wire.Plan{Changes: true}, "plan drain n1", 10, "What is set would change; no instance", ""},
		"no room, for a tool": {wire.Plan{Changes: true, Missing: []wire.PlanMissing{missing}}, "plan drain n1 --json", 1, `"count": 1`, ""},
		"a node, for a tool":  {wire.Plan{Changes: true, Steps: []wire.PlanStep{start}}, "plan drain n1 --json", 10, `"action": "start"`, ""},
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

// Whatever they find, it was found: a script reads the severity.
func TestStatusAndDoctor_EndWellWhateverTheyFind(t *testing.T) {
	for _, args := range []string{"status", "doctor", "status --json", "doctor --json"} {
		api := newAPI(t)
		api.on("GET /apps", 200, wire.Page[wire.App]{})
		api.on("GET /nodes", 200, wire.Page[wire.Node]{})
		api.on("GET /status", 200, wire.Status{State: "attention", Severity: "bad", Reasons: []string{"shop is down"}})

		got := newCLI(t, api).run(strings.Fields(args)...)

		wantCode(t, got, 0)
		wantIn(t, args, got.out, "shop is down")
		if strings.Contains(args, "json") {
			wantIn(t, args, got.out, `"severity": "bad"`)
		}
	}
	api := newAPI(t)
	api.fails("GET /status", 503, "unavailable", "the database is away")
	wantCode(t, newCLI(t, api).run("doctor"), 6)
}

// What doctor marks as critical is what the pacemaker has as bad, as status does.
func TestDoctor_MarksEachReasonByItsSeverity(t *testing.T) {
	reasons := []string{"shop does not serve", "blog does not serve", "Node n2 is silent"}
	for critical, want := range map[int]string{
		2: "■ shop does not serve\n■ blog does not serve\n▲ Node n2 is silent\n",
		0: "■ shop does not serve\n▲ blog does not serve\n▲ Node n2 is silent\n", // of an earlier pacemaker
	} {
		api := newAPI(t)
		api.on("GET /status", 200, wire.Status{State: "attention", Severity: "bad", Reasons: reasons, Critical: critical})

		if got := newCLI(t, api).run("doctor"); got.out != want {
			t.Errorf("%d critical: got\n%swant\n%s", critical, got.out, want)
		}
	}
}

// Who only gets the id of a drain hears, too, that it will wait, and for what.
func TestNodesDrain_SaysFirstWhatFindsNoRoom(t *testing.T) {
	for what, c := range map[string]struct {
		plan wire.Plan
		says string
	}{
		"the last, idle": {wire.Plan{Changes: true, Last: true}, "No other node takes instances: until one does, deploys, restarts and changes of all apps fail.\n"},
		"room":           {wire.Plan{Changes: true, Missing: []wire.PlanMissing{}}, ""},
		"no room":        {wire.Plan{Changes: true, Missing: []wire.PlanMissing{{App: "shop", Type: "web", Count: 15, Reason: "n2 is full"}}}, "15 web of shop would find no node: n2 is full\nThe drain waits until they find one; to end it: aorta nodes undrain n1\n"},
	} {
		t.Run(what, func(t *testing.T) {
			api := newAPI(t)
			api.on("GET /nodes/n1/drain/plan", 200, c.plan)
			api.on("POST /nodes/n1/drain", 202, wire.Accepted{Job: "j1"})

			got := newCLI(t, api).run("nodes", "drain", "n1", "--detach")

			wantCode(t, got, 0)
			if got.out != "j1\n" || got.err != c.says {
				t.Errorf("got %q and %q, want the id alone and %q", got.out, got.err, c.says)
			}
		})
	}
}
