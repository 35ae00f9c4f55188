package jobs

import (
	"fmt"
	"time"
)

// Graft adds children to a job that has not ended: to the running job that asks
// for them, or to the root. Their leaves are ready at once. A spec whose id the
// tree knows already is left out with all below it, so that a handler that runs
// again may repeat itself. The error wraps ErrInvalid or ErrOver; nothing was
// added then.
func (t *Tree) Graft(parent string, specs []Spec, now time.Time) error {
	t.index()
	p, err := t.Job(parent)
	if err != nil {
		return err
	}
	if t.Stop != nil || p.State.Ended() || p.State == Ready {
		return fmt.Errorf("graft onto job %s, which is %s: %w", parent, p.State, ErrOver)
	}
	if p.Cleanup {
		return fmt.Errorf("%w %q: a clean-up job has no children", ErrInvalid, parent)
	}
	fresh, err := t.freshSpecs(specs)
	if err != nil {
		return err
	}
	for _, s := range fresh {
		t.plant(s, parent, now)
	}
	return nil
}

// freshSpecs validates the specs and leaves out those that the tree has.
func (t *Tree) freshSpecs(specs []Spec) ([]Spec, error) {
	seen := map[string]bool{}
	for id := range t.Jobs {
		seen[id] = true
	}
	var fresh []Spec
	for _, s := range specs {
		if t.Jobs[s.ID] != nil {
			continue
		}
		if err := s.validate(seen, 1); err != nil {
			return nil, err
		}
		fresh = append(fresh, s)
	}
	return fresh, nil
}

// plant adds a validated spec and all below it.
func (t *Tree) plant(s Spec, parent string, now time.Time) {
	j := newJob(s, t.ID, parent, now)
	t.Jobs[j.ID] = j
	t.count(j, 1)
	t.touch(j)
	if parent != "" && !j.Cleanup {
		t.kids[parent] = append(t.kids[parent], j.ID)
	}
	for _, c := range s.Children {
		t.plant(c, j.ID, now)
	}
	if len(t.kids[j.ID]) == 0 && !j.Cleanup {
		t.move(j, Ready, now)
	}
}
