package main

import (
	"errors"
	"fmt"
	"strings"

	"aorta/jobs"
)

// verdict is what a storm left, beside what was planted.
type verdict struct {
	planted []jobs.Spec
	ended   map[string][]*jobs.Tree // by id, each time that it was handed over
	effects effects
	left    []string // keys that should be gone
	lost    int      // leases whose worker fell silent
}

// repeats are executions beyond the first of each job.
func (v verdict) repeats() int {
	n := 0
	for _, times := range v.effects.executions {
		n += times - 1
	}
	return n
}

var errStorm = errors.New("the storm broke a promise")

// print says of each promise whether it was held.
func (v verdict) print() error {
	promises := []struct {
		what  string
		fault string
	}{
		{"every tree ended exactly once, as succeeded, with all its jobs", v.treeFault()},
		{"every job has its effect exactly once, and nobody else has one", v.effectFault()},
		{"each parent's effect came after all its children's", v.orderFault()},
		{"no job ran again but for a lost lease, and each lost lease is in its job's record", v.repeatFault()},
		{"no key is left beside the lasting ones and the effects", strings.Join(v.left, "; ")},
	}
	var err error
	for _, p := range promises {
		if p.fault == "" {
			fmt.Println("held    " + p.what)
			continue
		}
		fmt.Println("BROKEN  " + p.what + ": " + p.fault)
		err = errStorm
	}
	return err
}

func (v verdict) treeFault() string {
	if len(v.ended) != len(v.planted) {
		return fmt.Sprintf("%d were planted, %d ended", len(v.planted), len(v.ended))
	}
	for _, s := range v.planted {
		times := v.ended[s.ID]
		if len(times) != 1 {
			return fmt.Sprintf("tree %s ended %d times", s.ID, len(times))
		}
		t := times[0]
		if t.State != jobs.Succeeded || len(t.Jobs) != treeSize {
			return fmt.Sprintf("tree %s %s with %d jobs: %+v", s.ID, t.State, len(t.Jobs), t.Stop)
		}
		for _, j := range t.Jobs {
			if j.State != jobs.Succeeded {
				return fmt.Sprintf("job %s of tree %s %s: %s", j.ID, s.ID, j.State, j.Error)
			}
		}
	}
	return ""
}

func (v verdict) effectFault() string {
	n := 0
	var missing string
	for _, s := range v.planted {
		walk(s, func(j jobs.Spec) {
			n++
			if v.effects.order[j.ID] == 0 {
				missing = j.ID
			}
		})
	}
	if missing != "" {
		return fmt.Sprintf("job %s has none", missing)
	}
	if len(v.effects.order) != n {
		return fmt.Sprintf("%d jobs, %d effects", n, len(v.effects.order))
	}
	return ""
}

func (v verdict) orderFault() (fault string) {
	for _, s := range v.planted {
		walk(s, func(j jobs.Spec) {
			for _, c := range j.Children {
				if v.effects.order[c.ID] >= v.effects.order[j.ID] {
					fault = fmt.Sprintf("job %s came as number %d, its child %s as number %d",
						j.ID, v.effects.order[j.ID], c.ID, v.effects.order[c.ID])
				}
			}
		})
	}
	return fault
}

func (v verdict) repeatFault() string {
	crashes := 0
	for _, times := range v.ended {
		for _, j := range times[0].Jobs {
			crashes += j.Crashes
			if n := v.effects.executions[j.ID]; n > 1+j.Crashes {
				return fmt.Sprintf("job %s ran %d times with %d leases lost", j.ID, n, j.Crashes)
			}
		}
	}
	if crashes != v.lost {
		return fmt.Sprintf("%d leases were lost, the jobs know of %d", v.lost, crashes)
	}
	return ""
}

// walk calls fn for a job and everything below it.
func walk(s jobs.Spec, fn func(jobs.Spec)) {
	fn(s)
	for _, c := range s.Children {
		walk(c, fn)
	}
}
