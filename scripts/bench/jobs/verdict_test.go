package main

import (
	"errors"
	"slices"
	"testing"
	"time"

	"aorta/jobs"
)

// after is the verdict on one tree that went well; its jobs had their effects
// children first.
func after(t *testing.T) (verdict, jobs.Spec) {
	t.Helper()
	s := tree()
	done, err := jobs.New(s, "", time.Now())
	if err != nil {
		t.Fatalf("make a tree: %v", err)
	}
	done.State = jobs.Succeeded
	e := effects{order: map[string]int{}, executions: map[string]int{}}
	var all []jobs.Spec
	walk(s, func(j jobs.Spec) { all = append(all, j) })
	slices.Reverse(all)
	for i, j := range all {
		done.Jobs[j.ID].State = jobs.Succeeded
		e.order[j.ID], e.executions[j.ID] = i+1, 1
	}
	return verdict{planted: []jobs.Spec{s}, ended: map[string][]*jobs.Tree{s.ID: {done}}, effects: e}, s
}

func TestVerdict_HoldsAfterAWorkerWasLost(t *testing.T) {
	t.Parallel()
	v, s := after(t)
	v.effects.executions[s.ID], v.lost = 2, 1
	v.ended[s.ID][0].Jobs[s.ID].Crashes = 1

	err := v.print()

	if err != nil || v.repeats() != 1 {
		t.Fatalf("got %v with %d repeats, want nil with 1", err, v.repeats())
	}
}

func TestVerdict_FindsEachBrokenPromise(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*verdict, jobs.Spec){
		"a tree that did not end":     func(v *verdict, s jobs.Spec) { v.ended["other"] = v.ended[s.ID]; delete(v.ended, s.ID) },
		"a tree that ended twice":     func(v *verdict, s jobs.Spec) { v.ended[s.ID] = append(v.ended[s.ID], v.ended[s.ID][0]) },
		"a tree that failed":          func(v *verdict, s jobs.Spec) { v.ended[s.ID][0].State = jobs.Failed },
		"a job that is still open":    func(v *verdict, s jobs.Spec) { v.ended[s.ID][0].Jobs[s.ID].State = jobs.Running },
		"a job without its effect":    func(v *verdict, s jobs.Spec) { delete(v.effects.order, s.ID) },
		"an effect of no job":         func(v *verdict, s jobs.Spec) { v.effects.order["other"] = 8 },
		"a parent before its child":   func(v *verdict, s jobs.Spec) { v.effects.order[s.Children[0].ID] = 9 },
		"a repeat without a reason":   func(v *verdict, s jobs.Spec) { v.effects.executions[s.ID] = 2 },
		"a lease lost and not noted":  func(v *verdict, s jobs.Spec) { v.lost = 1 },
		"a key that should be gone":   func(v *verdict, s jobs.Spec) { v.left = []string{"{t:x}:tree hash of 3"} },
		"a tree that nobody answered": func(v *verdict, s jobs.Spec) { clear(v.ended) },
	}

	for name, breach := range tests {
		v, s := after(t)
		breach(&v, s)

		if err := v.print(); !errors.Is(err, errStorm) {
			t.Errorf("%s: got %v, want errStorm", name, err)
		}
	}
}
