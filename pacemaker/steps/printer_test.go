package steps_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/jobs"
	"aorta/pacemaker/steps"
)

// printed is what a printer gives of what do tells it.
func printed(do func(p *steps.Printer)) []string {
	var lines []string
	do(steps.NewPrinter(func(text string) { lines = append(lines, text) }, steps.Plain))
	return lines
}

func TestPrinter_ALineForEachFact(t *testing.T) {
	build := steps.Step{ID: "build", Name: "Build", State: "running", Attempt: 1, Started: at(1), Jobs: []string{"b"}}
	start := steps.Step{ID: "start", Name: "Start", State: "running", Started: at(4), Jobs: []string{"s"}}
	web := steps.Step{ID: "start/1", Parent: "start", Name: "web.1 on n1", State: "running", Started: at(4), Jobs: []string{"i"}}
	with := func(s steps.Step, change func(s *steps.Step)) steps.Step { change(&s); return s }
	over := func(state string, to float64) func(s *steps.Step) {
		return func(s *steps.Step) { s.State, s.Ended = state, at(to) }
	}
	waits := func(s *steps.Step) { s.Progress = jobs.Progress{N: 2, M: 3, Text: "listens on [::]:9999"} }

	got := printed(func(p *steps.Printer) {
		p.Step(steps.Step{ID: "build", Name: "Build", State: "ready"})
		p.Step(build)
		p.Step(build)
		p.Log("b", "FROM scratch")
		p.Step(with(build, func(s *steps.Step) { s.Error, s.State = "engine away\nmore", "running" }))
		p.Step(with(build, func(s *steps.Step) { over("succeeded", 3)(s); s.Attempt = 2 }))
		p.Step(with(build, over("succeeded", 3)))
		p.Step(start)
		p.Step(web)
		p.Step(with(web, waits))
		p.Step(with(web, waits))
		p.Log("i", "hello")
		p.Log("unknown", "of nothing")
		p.Step(with(web, over("failed", 9)))
		p.Step(with(start, over("failed", 9)))
		p.Step(steps.Step{ID: "publish", Name: "Publish", State: "aborted", Ended: at(9)})
	})

	want := []string{
		"▸ Build", "  │ FROM scratch", "  … Build is tried again: engine away", "✓ Build (attempt 2)  2.0s",
		"▸ Start", "  … web.1 on n1: listens on [::]:9999", "  │ web.1: hello", "  │ of nothing", "  ✗ web.1 on n1  5.0s", "✗ Start  5.0s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// What comes of a step after another one has its heading again.
func TestPrinter_EachLineIsUnderItsOwnStep(t *testing.T) {
	got := printed(func(p *steps.Printer) {
		p.Step(steps.Step{ID: "a", Name: "Build", State: "running", Started: at(1), Jobs: []string{"a"}})
		p.Step(steps.Step{ID: "b", Name: "Drain", State: "running", Started: at(1), Jobs: []string{"b"}})
		p.Log("a", "one")
		p.Log("b", "two")
		p.Log("b", "three")
	})

	want := []string{"▸ Build", "▸ Drain", "▸ Build", "  │ one", "▸ Drain", "  │ two", "  │ three"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// A step that was over before it was first seen comes behind its lines.
func TestPrinter_ALineThatComesBeforeItsStepWaitsForItsName(t *testing.T) {
	got := printed(func(p *steps.Printer) {
		p.Step(steps.Step{ID: "drain/1", Parent: "drain", Name: "db.1", State: "succeeded", Started: at(1), Ended: at(3)})
		p.Step(steps.Step{ID: "drain", Name: "Drain", State: "succeeded", Started: at(1), Ended: at(3)})
	})

	want := []string{"▸ Drain", "  ✓ db.1  2.0s", "✓ Drain  2.0s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}
