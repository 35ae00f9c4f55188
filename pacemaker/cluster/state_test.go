package cluster

import (
	"slices"
	"strings"
	"testing"
)

// matrix draws the legal changes: a row for each state as it is, a column for
// what it becomes, x where that is legal.
func matrix[S ~string](states []S, legal func(from, to S) bool) string {
	var b strings.Builder
	for _, from := range states {
		for _, to := range states {
			if legal(from, to) {
				b.WriteByte('x')
			} else {
				b.WriteByte('.')
			}
		}
		b.WriteString(" " + string(from) + "\n")
	}
	return b.String()
}

func TestInstanceState_LegalChanges(t *testing.T) {
	states := []InstanceState{
		InstanceAssigned, InstancePulling, InstanceStarting, InstanceRunning, InstanceDraining, InstanceStopped, InstanceFailed, "unheard-of",
	}
	want := strings.TrimLeft(`
.xxxxxx. assigned
..xxxxx. pulling
...xxxx. starting
....xxx. running
.....xx. draining
........ stopped
........ failed
........ unheard-of
`, "\n")

	if got := matrix(states, InstanceState.CanBecome); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestInstanceState_EndedAndWanted(t *testing.T) {
	for state, want := range map[InstanceState][2]bool{
		InstanceAssigned: {false, true}, InstancePulling: {false, true}, InstanceStarting: {false, true}, InstanceRunning: {false, true},
		InstanceDraining: {false, false}, InstanceStopped: {true, false}, InstanceFailed: {true, false},
	} {
		if got := [2]bool{state.Ended(), state.Wanted()}; got != want {
			t.Errorf("%s: got ended, wanted %v, want %v", state, got, want)
		}
	}
}

func TestInstance_ServesOnlyWhenARequestWouldBeAnswered(t *testing.T) {
	good := Instance{State: InstanceRunning, Port: 20000}
	crashing, noPort := good, good
	crashing.Crashing, noPort.Port = true, 0
	for name, c := range map[string]struct {
		in   Instance
		want bool
	}{"running": {good, true}, "crashing": {crashing, false}, "without a port": {noPort, false}} {
		if got := c.in.Serves(); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
	for state := range instanceRank {
		in := good
		in.State = state
		if in.Serves() != (state == InstanceRunning) {
			t.Errorf("%s: got it served", state)
		}
	}
}

func TestInstance_IsCalledByItsNames(t *testing.T) {
	in := Instance{ID: NewID(), Type: "web"}
	for _, name := range []string{string(in.ID), in.ID.Short(), "web." + in.ID.Short(), in.Name()} {
		if !in.IsCalled(name) {
			t.Errorf("%s: got it unknown, want it known", name)
		}
	}
	for _, name := range []string{"", "web", "web.", "worker." + in.ID.Short(), in.ID.Short()[1:], string(in.ID) + " "} {
		if in.IsCalled(name) {
			t.Errorf("%q: got it known, want it unknown", name)
		}
	}
}

func TestReleaseState_LegalChanges(t *testing.T) {
	states := []ReleaseState{ReleaseReady, ReleaseRunning, ReleaseRetired, ReleaseFailed, "unheard-of"}
	want := strings.TrimLeft(`
.x.x. ready
..x.. running
..... retired
..... failed
..... unheard-of
`, "\n")

	if got := matrix(states, ReleaseState.CanBecome); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestParseReleaseLabel(t *testing.T) {
	for text, want := range map[string]int{
		"v1": 1, "v12": 12, "12": 12, "v999999999": 999999999,
		"": 0, "v": 0, "v0": 0, "0": 0, "v-1": 0, "-1": 0, "vv1": 0, "V1": 0, "v1 ": 0, " v1": 0, "v1.0": 0, "1e3": 0, "v0x1": 0, "+12": 0, "v+12": 0, "v1_0": 0, "v1000000000": 0, "1000000000": 0,
		strings.Repeat("1", 1000): 0,
	} {
		got, err := ParseReleaseLabel("release", text)

		wantInvalid(t, text, err, "release", want != 0)
		if got != want {
			t.Errorf("%.20q: got %d, want %d", text, got, want)
		}
	}
	if r := (Release{Number: 12}); r.Label() != "v12" {
		t.Errorf("got %q, want v12", r.Label())
	}
}

func FuzzParseReleaseLabel(f *testing.F) {
	f.Add("v12")
	f.Add("+12")
	f.Add("v007")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseReleaseLabel("release", text)
		if err != nil {
			return
		}
		if again, err := ParseReleaseLabel("release", ReleaseLabel(n)); err != nil || again != n || n < 1 {
			t.Errorf("%q: got %d, then %d, %v from its label", text, n, again, err)
		}
	})
}

func TestRelease_Process(t *testing.T) {
	r := Release{Processes: []ProcessType{{Name: "web", Command: "a"}, {Name: "worker"}}}
	if p, ok := r.Process("web"); !ok || p.Command != "a" {
		t.Errorf("got %+v, %t, want web", p, ok)
	}
	if p, ok := r.Process("clock"); ok || p.Name != "" {
		t.Errorf("got %+v, %t, want none", p, ok)
	}
}

func TestOperationKind_WhatWaitsForWhat(t *testing.T) {
	for pair, want := range map[[2]OperationKind]bool{
		{OpDeploy, OpScale}:    true,
		{OpRebuild, OpRebuild}: true,
		{OpRebuild, OpDeploy}:  false, // a deploy that mends an app waits for no old image
		{OpDeploy, OpRebuild}:  false,
		{OpReplace, OpReplace}: false,
		{OpDeploy, OpReplace}:  false,
	} {
		if got := pair[0].Excludes(pair[1]); got != want {
			t.Errorf("%s after %s: got %t, want %t", pair[0], pair[1], got, want)
		}
	}
}

// TestOperationKind_Rules has a line for each kind: a new one gets its own here.
func TestOperationKind_Rules(t *testing.T) {
	for kind, want := range map[OperationKind]struct {
		exclusive, recurring bool
		family               []OperationKind
	}{
		OpDeploy:  {true, false, []OperationKind{OpDeploy, OpRelease}},
		OpRelease: {true, false, []OperationKind{OpDeploy, OpRelease}},
		OpScale:   {true, false, []OperationKind{OpScale}},
		OpRestart: {true, false, []OperationKind{OpRestart, OpStop}},
		OpStop:    {true, false, []OperationKind{OpRestart, OpStop}},
		OpDestroy: {true, false, []OperationKind{OpDestroy}},
		OpRetire:  {false, true, []OperationKind{OpRetire}},
		OpReplace: {false, true, []OperationKind{OpReplace}},
		OpPrune:   {false, false, []OperationKind{OpPrune}},
		OpRebuild: {false, false, []OperationKind{OpRebuild}},
	} {
		if kind.Exclusive() != want.exclusive || kind.Recurring() != want.recurring || !slices.Equal(kind.Family(), want.family) {
			t.Errorf("%s: got exclusive %t, recurring %t, family %v; want %+v", kind, kind.Exclusive(), kind.Recurring(), kind.Family(), want)
		}
	}
}
