package jobs

import (
	"errors"
	"fmt"
	"time"
)

// Periodic is a tree that is added again and again, once for each slot: a slot
// begins at each multiple of Every since midnight UTC, shifted by Offset. While
// the tree of an earlier slot is open the next is left out, and of the slots
// that passed while no keeper ran, only the newest is made up for.
type Periodic struct {
	Name   string // of its own; remembers by it which slot was the last
	Every  time.Duration
	Offset time.Duration
	// Make gives a slot's tree: the same one each time for the same slot, ids
	// included.
	Make func(slot time.Time) Spec
}

// Slot is the start of the slot that contains now.
func (p Periodic) Slot(now time.Time) time.Time {
	return now.UTC().Add(-p.Offset).Truncate(p.Every).Add(p.Offset)
}

// Validate refuses what could not be run.
func (p Periodic) Validate() error {
	switch {
	case !kindPattern.MatchString(p.Name):
		return fmt.Errorf("%w: the name %q of a periodic tree is not a lower-case name", ErrInvalid, p.Name)
	case p.Every < time.Second:
		return fmt.Errorf("%w: periodic tree %s would come every %s, more often than each second", ErrInvalid, p.Name, p.Every)
	case p.Make == nil:
		return fmt.Errorf("%w: periodic tree %s: %w", ErrInvalid, p.Name, errors.New("nothing makes it"))
	}
	return nil
}
