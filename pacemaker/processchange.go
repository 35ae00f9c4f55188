package pacemaker

import (
	"fmt"
	"maps"
	"strings"

	"aorta/pacemaker/cluster"
)

// ProcessChange changes what is set of one process type.
type ProcessChange struct {
	Quantity *int
	More     int            // than are wanted now, instead of a quantity; negative: fewer
	Limits   cluster.Limits // zero parts stay
	Tags     cluster.Tags   // empty parts stay
	Reset    ProcessSet     // what is set no more: the source's applies again
}

// ProcessSet says what of a process type a person has set, beside what the source
// asks for.
type ProcessSet struct{ Quantity, Memory, CPUs, Require, Prefer bool }

func setOf(f cluster.Formation) ProcessSet {
	return ProcessSet{
		Quantity: f.Quantity != nil, Memory: f.Limits.Memory != 0, CPUs: f.Limits.CPUs != 0,
		Require: len(f.Tags.Require) > 0, Prefer: len(f.Tags.Prefer) > 0,
	}
}

// limits says that instances may use something else by the change.
func (c ProcessChange) limits() bool {
	return c.Limits != cluster.Limits{} || c.Reset.Memory || c.Reset.CPUs
}

// requires says that instances may have to be elsewhere by the change.
func (c ProcessChange) requires() bool { return len(c.Tags.Require) > 0 || c.Reset.Require }

// check refuses what is both set and reset.
func (c ProcessChange) check(field string) error {
	sets := setOf(cluster.Formation{Quantity: c.Quantity, Limits: c.Limits, Tags: c.Tags})
	sets.Quantity = sets.Quantity || c.More != 0
	if twice := sets.and(c.Reset).Names(); len(twice) > 0 {
		return cluster.Invalid(field+".reset", "names %s, which is set beside it: give one of them", twice[0])
	}
	return nil
}

func (s ProcessSet) and(other ProcessSet) ProcessSet {
	return ProcessSet{s.Quantity && other.Quantity, s.Memory && other.Memory, s.CPUs && other.CPUs, s.Require && other.Require, s.Prefer && other.Prefer}
}

// absolute works relative quantities out. Of a type that is not there, another check
// speaks.
func absolute(changes map[string]ProcessChange, want map[string]int) (map[string]ProcessChange, error) {
	out := maps.Clone(changes)
	for typ, c := range changes {
		now, there := want[typ]
		if c.More == 0 || !there {
			continue
		}
		field := "types." + typ + ".quantity_delta"
		if c.Quantity != nil {
			return nil, cluster.Invalid(field, "is given beside quantity: give one of them")
		}
		n := now + c.More
		if n < 0 {
			return nil, cluster.Invalid(field, "%d fewer than the %d of now is less than none", -c.More, now)
		}
		if err := cluster.ValidateQuantity(field, n); err != nil {
			return nil, err
		}
		c.Quantity, c.More = &n, 0
		out[typ] = c
	}
	return out, nil
}

func changed(app cluster.App, release cluster.Release, asked map[string]cluster.Formation, typ string, c ProcessChange) (cluster.Formation, error) {
	proc, ok := release.Process(typ)
	if !ok {
		return cluster.Formation{}, cluster.Invalid("types."+typ, "release %s of app %q has no process type %q (it has: %s)", release.Label(), app.Name, typ, typeNames(release))
	}
	if err := c.check("types." + typ); err != nil {
		return cluster.Formation{}, err
	}
	f, ok := asked[typ]
	if !ok {
		f = cluster.Formation{AppID: app.ID, Type: typ}
	}
	f = c.Reset.apply(f)
	if c.Quantity != nil {
		if err := cluster.ValidateQuantity("types."+typ+".quantity", *c.Quantity); err != nil {
			return f, err
		}
		if err := proc.CheckQuantity("types."+typ+".quantity", *c.Quantity); err != nil {
			return f, err
		}
		f.Quantity = c.Quantity
	}
	if err := c.Limits.Validate("types." + typ); err != nil {
		return f, err
	}
	if c.Limits.Memory != 0 {
		f.Limits.Memory = c.Limits.Memory
	}
	if c.Limits.CPUs != 0 {
		f.Limits.CPUs = c.Limits.CPUs
	}
	f.Tags = c.Tags.Over(f.Tags)
	return f, c.Tags.Validate("types." + typ)
}

// apply gives what is asked without what is set no more.
func (s ProcessSet) apply(f cluster.Formation) cluster.Formation {
	if s.Quantity {
		f.Quantity = nil
	}
	if s.Memory {
		f.Limits.Memory = 0
	}
	if s.CPUs {
		f.Limits.CPUs = 0
	}
	if s.Require {
		f.Tags.Require = nil
	}
	if s.Prefer {
		f.Tags.Prefer = nil
	}
	return f
}

func describe(typ string, c ProcessChange) string {
	s := typ
	if c.Quantity != nil {
		s += fmt.Sprintf("=%d", *c.Quantity)
	}
	if c.Limits.Memory != 0 {
		s += " memory " + cluster.Bytes(c.Limits.Memory)
	}
	if c.Limits.CPUs != 0 {
		s += fmt.Sprintf(" cpus %v", c.Limits.CPUs)
	}
	if len(c.Tags.Require) > 0 {
		s += " requires " + strings.Join(cluster.TagTexts(c.Tags.Require), ",")
	}
	if len(c.Tags.Prefer) > 0 {
		s += " prefers " + strings.Join(cluster.TagTexts(c.Tags.Prefer), ",")
	}
	if back := c.Reset.Names(); len(back) > 0 {
		s += " " + strings.Join(back, " and ") + " of the source"
	}
	return s
}

// Names are those of the parts.
func (s ProcessSet) Names() []string {
	names := []string{}
	for _, part := range []struct {
		is   bool
		name string
	}{{s.Quantity, "quantity"}, {s.Memory, "memory"}, {s.CPUs, "cpus"}, {s.Require, "require"}, {s.Prefer, "prefer"}} {
		if part.is {
			names = append(names, part.name)
		}
	}
	return names
}
