package jobs

import (
	"fmt"
	"time"
)

// Supersede has other jobs take the place of one that nobody waits for any more, as one
// on a worker that is gone for good. The job ends as superseded, with all below it that
// has not ended, and whatever waited for it waits for the others: they lie under the
// nearest of the jobs above it that has not ended, and may begin at once. A job that has
// ended stays as it is, and the others are added all the same. A spec whose id the tree
// knows already is left out, so that this may be repeated. The error wraps ErrNotFound,
// ErrInvalid or ErrOver; nothing was changed then.
func (t *Tree) Supersede(id string, by []Spec, reason string, now time.Time) error {
	t.index()
	j, err := t.Job(id)
	switch {
	case err != nil:
		return err
	case t.Stop != nil || t.State.Ended():
		return fmt.Errorf("supersede job %s of tree %s, which is stopping or has ended: %w", id, t.ID, ErrOver)
	case j.Parent == "" || j.Cleanup:
		return fmt.Errorf("%w %q: nothing can take the place of the root or of a clean-up job", ErrInvalid, id)
	}
	fresh, err := t.freshSpecs(by)
	if err != nil {
		return err
	}
	above := t.Jobs[j.Parent]
	for above.State.Ended() {
		above = t.Jobs[above.Parent] // the root has not ended, since its tree has not
	}
	for _, s := range fresh {
		t.plant(s, above.ID, now)
	}
	t.supersede(j, reason, now)
	t.promote(j.Parent, now)
	return nil
}

func (t *Tree) supersede(j *Job, reason string, now time.Time) {
	if t.move(j, Superseded, now) {
		j.Error = reason
	}
	for _, kid := range t.kids[j.ID] {
		t.supersede(t.Jobs[kid], reason, now)
	}
}
