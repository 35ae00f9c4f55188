package cluster

import (
	"fmt"
	"time"
)

// An exclusive process type has one instance at most, from the moment at which one is
// assigned until its heart has said that its container is gone. Its successor is assigned
// after that, so that a file, a lock or a queue has one owner.

// MayRunOn says that an instance of the type, of which nobody has said that it is gone,
// may still run on its node. Silence ends nothing: a machine that was cut off works on. For
// what is exclusive a person has to say that it is dead, unless its heart has promised to
// stop it by itself, see StopsAfter.
func (p ProcessType) MayRunOn(n Node, in Instance) bool {
	return !n.Lost() || p.Exclusive && !n.DeclaredDead && !in.EndedBySilence(n.SilentFor)
}

// EndedBySilence says that the instance has ended by itself, by its heart's promise: its
// node was silent for so long.
func (i Instance) EndedBySilence(silence time.Duration) bool {
	return i.StopsAfter > 0 && silence >= i.StopsAfter
}

// CheckQuantity refuses more instances than the type may have.
func (p ProcessType) CheckQuantity(field string, n int) error {
	if p.Exclusive && n > 1 {
		return Invalid(field, "%s is exclusive: there is one instance of it at most, and %d are asked for", p.Name, n)
	}
	return nil
}

func (p ProcessType) validateExclusive(field string) error {
	if p.StopWhenCutOff && !p.Exclusive {
		return Invalid(field+".stop_when_cut_off", "%s is not exclusive: what may run twice goes on where it was cut off (set exclusive: true, or leave it out)", p.Name)
	}
	if p.Quantity == nil {
		return nil
	}
	return p.CheckQuantity(field+".quantity", *p.Quantity)
}

// MayStillRun says of an exclusive instance on a lost node why nothing starts in its place,
// with the next step.
func MayStillRun(in Instance, app, node string) string {
	return fmt.Sprintf("%s of %s may still run on %s, which is dead; it is exclusive, so no other one starts before the node is back, or you say that its machine is dead: aorta nodes declare-dead %[3]s", in.Name(), app, node)
}
