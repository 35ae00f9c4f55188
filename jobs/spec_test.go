package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSpec_ValidateRefuses(t *testing.T) {
	deep := leaf("bottom")
	for i := range MaxDepth {
		deep = over(fmt.Sprint("d", i), deep)
	}
	with := func(change func(*Spec)) Spec { s := leaf("a"); change(&s); return s }

	for name, s := range map[string]Spec{
		"no id":                 leaf(""),
		"a brace in the id":     leaf("a}"),
		"no kind":               with(func(s *Spec) { s.Kind = "" }),
		"no queue":              with(func(s *Spec) { s.Queue = Queue{} }),
		"a brace in the queue":  with(func(s *Spec) { s.Queue.Owner = "n:a}" }),
		"a glob in the queue":   with(func(s *Spec) { s.Queue.Owner = "n:*" }),
		"another prefix":        with(func(s *Spec) { s.Queue.Owner = "t:a" }),
		"priority":              with(func(s *Spec) { s.Priority = 3 }),
		"args that aren't JSON": with(func(s *Spec) { s.Args = json.RawMessage("{") }),
		"huge args":             with(func(s *Spec) { s.Args = json.RawMessage(`"` + strings.Repeat("x", MaxArgs) + `"`) }),
		"a clean-up's child":    with(func(s *Spec) { s.Cleanup = true; s.Children = []Spec{leaf("b")} }),
		"an id twice":           over("a", leaf("a")),
		"depth":                 deep,
	} {
		if err := s.Validate(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	if _, err := New(cleanup("a"), "", epoch); !errors.Is(err, ErrInvalid) {
		t.Errorf("a clean-up root: got %v, want ErrInvalid", err)
	}
}

func TestPolicy_DelayDoublesUpToTheMax(t *testing.T) {
	p := Policy{BackoffBase: time.Second, BackoffMax: 10 * time.Second}

	for failures, want := range []time.Duration{0, 1, 2, 4, 8, 10, 10} {
		want *= time.Second
		if low, high := p.Delay(failures, 0), p.Delay(failures, 0.999999); low != want/2 || high > want || high < want*99/100 {
			t.Errorf("after %d failures: got %s to %s, want %s to %s", failures, low, high, want/2, want)
		}
	}
	if got := p.Delay(1<<30, 0.5); got > p.BackoffMax {
		t.Errorf("after very many: got %s, want at most %s", got, p.BackoffMax)
	}
	if got, want := p.Clip(epoch.Add(time.Hour*9999), epoch), epoch.Add(p.BackoffMax); got != want {
		t.Errorf("Clip: got %s, want %s", got, want)
	}
}

func TestRun_SpeaksToItsReporter(t *testing.T) {
	rec := &recorder{}
	job := Job{ID: "j", Tree: "t", Kind: "k", Args: json.RawMessage(`{"n":1}`), Subject: Subject{App: "shop"}}
	r := NewRun(job, 2, rec)
	var args struct{ N int }

	err := errors.Join(r.Args(&args), r.Graft(leaf("a")), r.GraftRoot(leaf("b")))
	r.Log("line")
	r.Progress(1, 2, "half")

	want := "[graft j a graft t b log line progress {1 2 half}]"
	if got := fmt.Sprint(rec.said); err != nil || got != want || args.N != 1 {
		t.Fatalf("got %v, %s, args %+v; want nil, %s, 1", err, got, args, want)
	}
	if r.ID() != "j" || r.TreeID() != "t" || r.Kind() != "k" || r.Attempt() != 2 || r.Subject().App != "shop" {
		t.Fatalf("got %s %s %s %d %+v, want the job's", r.ID(), r.TreeID(), r.Kind(), r.Attempt(), r.Subject())
	}
	if err := NewRun(Job{}, 1, rec).Args(&args); !IsPermanent(err) {
		t.Fatalf("unreadable arguments: got %v, want a permanent error", err)
	}
}

type recorder struct{ said []string }

func (r *recorder) Log(line string)     { r.said = append(r.said, "log "+line) }
func (r *recorder) Progress(p Progress) { r.said = append(r.said, fmt.Sprint("progress ", p)) }
func (r *recorder) Graft(parent string, specs []Spec) error {
	r.said = append(r.said, "graft "+parent+" "+specs[0].ID)
	return nil
}
