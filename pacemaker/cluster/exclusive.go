package cluster

import "fmt"

// An exclusive process type has one instance at most, from the moment at which one is
// assigned until its heart has said that its container is gone. Its successor is assigned
// after that, so that a file, a lock or a queue has one owner.

// MayRunOn says that an instance of the type, of which nobody has said that it is gone,
// may still run on a node. Silence ends nothing: a machine that was cut off works on. For
// what is exclusive a person has to say that it is dead.
func (p ProcessType) MayRunOn(n Node) bool {
	return !n.Lost() || p.Exclusive && !n.DeclaredDead
}

// CheckQuantity refuses more instances than the type may have.
func (p ProcessType) CheckQuantity(field string, n int) error {
	if p.Exclusive && n > 1 {
		return Invalid(field, "%s is exclusive: there is one instance of it at most, and %d are asked for", p.Name, n)
	}
	return nil
}

func (p ProcessType) validateExclusive(field string) error {
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
