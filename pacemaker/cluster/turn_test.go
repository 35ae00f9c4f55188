package cluster

import (
	"testing"
	"time"
)

// The operations are in the order in which they came.
func TestAhead_BuildsHoldNothingUp(t *testing.T) {
	at := func(second int64) *time.Time { t := time.Unix(second, 0); return &t }
	op := func(id ID, kind OperationKind, turn *time.Time) Operation {
		return Operation{ID: id, AppID: "shop", Kind: kind, Turn: turn}
	}
	for name, c := range map[string]struct {
		open []Operation
		want map[ID]ID // who waits for whom
	}{
		"a scale during a build":       {[]Operation{op("d", OpDeploy, nil), op("s", OpScale, at(2))}, nil},
		"a build while one scales":     {[]Operation{op("s", OpScale, at(1)), op("d", OpDeploy, nil)}, nil},
		"one that is built meanwhile":  {[]Operation{op("d", OpDeploy, at(3)), op("s", OpScale, at(2))}, map[ID]ID{"d": "s"}},
		"what comes after that":        {[]Operation{op("d", OpDeploy, at(3)), op("s", OpScale, at(4))}, map[ID]ID{"s": "d"}},
		"two builds":                   {[]Operation{op("d", OpDeploy, nil), op("e", OpDeploy, nil)}, map[ID]ID{"e": "d"}},
		"a build behind a deploy":      {[]Operation{op("d", OpDeploy, at(3)), op("e", OpDeploy, nil)}, map[ID]ID{"e": "d"}},
		"turns at one time":            {[]Operation{op("r", OpRestart, at(1)), op("s", OpScale, at(1))}, map[ID]ID{"s": "r"}},
		"the app's end":                {[]Operation{op("d", OpDeploy, nil), op("x", OpDestroy, at(2))}, map[ID]ID{"x": "d"}},
		"a built deploy, the end":      {[]Operation{op("d", OpDeploy, at(3)), op("x", OpDestroy, at(2))}, map[ID]ID{"x": "d", "d": "x"}},
		"images that are built again":  {[]Operation{op("b", OpRebuild, at(1)), op("c", OpRebuild, at(2)), op("d", OpDeploy, nil)}, map[ID]ID{"c": "b"}},
		"replacements exclude nothing": {[]Operation{op("s", OpScale, at(1)), op("m", OpReplace, at(2)), op("t", OpRetire, at(3))}, nil},
	} {
		for _, o := range c.open {
			first := Ahead(append([]Operation{{ID: "other", AppID: "blog", Kind: OpStop, Turn: at(0)}}, c.open...), o)
			if got := idOf(first); got != c.want[o.ID] {
				t.Errorf("%s: got %s waiting for %q, want for %q", name, o.ID, got, c.want[o.ID])
			}
		}
	}
}

func idOf(o *Operation) ID {
	if o == nil {
		return ""
	}
	return o.ID
}

// A built deploy whose tree was lost waits for its turn in its new tree.
func TestMayBegin_ADeployWaitsForDeploysAlone(t *testing.T) {
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	deploy := Operation{ID: "d", AppID: "shop", Kind: OpDeploy, Turn: &late}
	scale := Operation{ID: "s", AppID: "shop", Kind: OpScale, Turn: &early}
	next := Operation{ID: "e", AppID: "shop", Kind: OpDeploy, Turn: &late}
	open := []Operation{deploy, scale, next}

	for op, want := range map[*Operation]bool{&deploy: true, &scale: true, &next: false} {
		if got := MayBegin(open, *op); got != want {
			t.Errorf("%s: got %t, want %t", op.ID, got, want)
		}
	}
}
