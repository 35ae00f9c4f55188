package redisq

import (
	"encoding/json"
	"slices"

	"pgregory.net/rapid"

	"aorta/jobs"
)

// The kinds of random jobs, named by their policy.
const (
	kindMany    = "many"    // three attempts
	kindOnce    = "once"    // at most one
	kindLimited = "limited" // two attempts, of limitedTimeout each
	kindClean   = "clean"   // three attempts of a clean-up job
)

// What a handler does in one attempt.
const (
	doOK        = "ok"
	doFail      = "fail"
	doPermanent = "permanent"
	doPanic     = "panic"
	doWait      = "wait" // until its context ends
	doDeaf      = "deaf" // for longer than its time limit, whatever its context says
)

// script is what the handler of one job does; it travels in the job's arguments.
type script struct {
	Steps     []step      `json:"steps"` // by attempt; the last one repeats
	Graft     []jobs.Spec `json:"graft,omitempty"`
	GraftRoot []jobs.Spec `json:"graft_root,omitempty"`
}

type step struct {
	Do     string `json:"do"`
	Millis int    `json:"ms"` // of work before
}

// round is what happens to a few trees at once.
type round struct {
	Trees  []jobs.Spec
	Faults []fault // in the order of their time
	// Grafter names who grafts a job.
	Grafter map[string]string
}

// wiped says whether Redis forgets everything in the middle of the round.
func (r *round) wiped() bool {
	return slices.ContainsFunc(r.Faults, func(f fault) bool { return f.Kind == faultWipe })
}

type faultKind string

// What goes wrong.
const (
	faultKill    faultKind = "kill -9 of a worker"
	faultStall   faultKind = "SIGSTOP of a worker"
	faultResume  faultKind = "SIGCONT of a worker"
	faultKeeper  faultKind = "take-over by another keeper"
	faultStick   faultKind = "keeper stuck between two writes, then take-over"
	faultRestart faultKind = "kill -9 of Redis, and a new start"
	faultWipe    faultKind = "emptied Redis"
	faultAbort   faultKind = "abort of a tree"
	faultInstead faultKind = "a job is superseded"
)

type fault struct {
	Kind   faultKind
	Millis int       // since the trees were added
	Which  int       // worker or tree
	By     jobs.Spec // takes the place of a job
}

const (
	treesPerRound = 3
	crewSize      = 3
)

// rounds draws a round; Example with the same seed draws the same one but for
// the ids.
var rounds = rapid.Custom(func(t *rapid.T) *round {
	r := &round{Grafter: map[string]string{}}
	for range treesPerRound {
		r.Trees = append(r.Trees, r.drawSpec(t, 3))
	}
	for range rapid.IntRange(1, 5).Draw(t, "faults") {
		r.Faults = append(r.Faults, drawFault(t)...)
	}
	slices.SortStableFunc(r.Faults, func(a, b fault) int { return a.Millis - b.Millis })
	return r
})

func drawFault(t *rapid.T) []fault {
	kind := rapid.SampledFrom([]faultKind{
		faultKill, faultKill, faultKill, faultStall, faultStall, faultKeeper, faultStick,
		faultRestart, faultRestart, faultWipe, faultAbort, faultAbort, faultAbort, faultInstead, faultInstead, faultInstead, faultInstead,
	}).Draw(t, "fault")
	f := fault{Kind: kind, Millis: rapid.IntRange(0, 500).Draw(t, "after"), Which: rapid.IntRange(0, 2).Draw(t, "which")}
	if kind == faultInstead {
		f.By = spec(kindMany, drawQueue(t))
		f.By.Args = encode(script{Steps: drawSteps(t, doOK)})
	}
	if kind != faultStall {
		return []fault{f}
	}
	back := fault{Kind: faultResume, Millis: f.Millis + rapid.IntRange(100, 1200).Draw(t, "stall"), Which: f.Which}
	return []fault{f, back}
}

func (r *round) drawSpec(t *rapid.T, depth int) jobs.Spec {
	s := r.drawLeaf(t, depth > 0)
	for range rapid.IntRange(0, 3*min(depth, 1)).Draw(t, "children") {
		s.Children = append(s.Children, r.drawSpec(t, depth-1))
	}
	if rapid.IntRange(0, 2).Draw(t, "clean-up") == 0 {
		c := spec(kindClean, drawQueue(t))
		c.Cleanup = true
		c.Args = encode(script{Steps: drawSteps(t, doOK, doOK, doOK, doFail)})
		s.Children = append(s.Children, c)
	}
	return s
}

// drawLeaf draws a job without children, but perhaps with some to graft.
func (r *round) drawLeaf(t *rapid.T, mayGraft bool) jobs.Spec {
	kind := rapid.SampledFrom([]string{kindMany, kindMany, kindMany, kindOnce, kindLimited}).Draw(t, "kind")
	s := spec(kind, drawQueue(t))
	s.Priority = rapid.IntRange(jobs.High, jobs.Low).Draw(t, "priority")
	does := []string{doOK, doOK, doOK, doOK, doOK, doOK, doOK, doOK, doOK, doOK, doFail, doPanic}
	switch kind {
	case kindMany:
		does = append(does, doFail, doPermanent)
	case kindLimited:
		does = append(does, doWait, doWait, doDeaf)
	}
	sc := script{Steps: drawSteps(t, does...)}
	if mayGraft && rapid.IntRange(0, 4).Draw(t, "graft") == 0 {
		sc.Graft = r.drawGrafts(t, s.ID)
		sc.GraftRoot = r.drawGrafts(t, s.ID)
	}
	s.Args = encode(sc)
	return s
}

func (r *round) drawGrafts(t *rapid.T, by string) []jobs.Spec {
	var out []jobs.Spec
	for range rapid.IntRange(0, 2).Draw(t, "grafted") {
		s := r.drawLeaf(t, false)
		r.Grafter[s.ID] = by
		out = append(out, s)
	}
	return out
}

func drawSteps(t *rapid.T, does ...string) []step {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			Do:     rapid.SampledFrom(does).Draw(t, "do"),
			Millis: rapid.IntRange(0, 60).Draw(t, "ms"),
		}
	}), 1, 3).Draw(t, "steps")
}

func drawQueue(t *rapid.T) jobs.Queue {
	return rapid.SampledFrom(crewQueues).Draw(t, "queue")
}

func encode(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // of plain values: it can't fail
	}
	return text
}
