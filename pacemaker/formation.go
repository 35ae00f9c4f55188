package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/place"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

// ProcessChange changes what is set of one process type.
type ProcessChange struct {
	Quantity *int
	More     int            // than are wanted now, instead of a quantity; negative: fewer
	Limits   cluster.Limits // zero parts stay
	Reset    ProcessSet     // what is set no more: the source's applies again
}

// ProcessSet says what of a process type a person has set, beside what the source
// asks for.
type ProcessSet struct{ Quantity, Memory, CPUs bool }

func setOf(f cluster.Formation) ProcessSet {
	return ProcessSet{Quantity: f.Quantity != nil, Memory: f.Limits.Memory != 0, CPUs: f.Limits.CPUs != 0}
}

// limits says that instances may use something else by the change.
func (c ProcessChange) limits() bool {
	return c.Limits != cluster.Limits{} || c.Reset.Memory || c.Reset.CPUs
}

// check refuses what is both set and reset.
func (c ProcessChange) check(field string) error {
	for part, both := range map[string]bool{
		"quantity": c.Reset.Quantity && (c.Quantity != nil || c.More != 0), "memory": c.Reset.Memory && c.Limits.Memory != 0, "cpus": c.Reset.CPUs && c.Limits.CPUs != 0,
	} {
		if both {
			return cluster.Invalid(field+".reset", "names %s, which is set beside it: give one of them", part)
		}
	}
	return nil
}

// ProcessView is a process type of an app as it is to run.
type ProcessView struct {
	Process  cluster.ProcessType
	Quantity int
	Limits   cluster.Limits
	Set      ProcessSet
}

// Formation lists the process types of the release that serves, with what was
// asked of each. An app without a release has none.
func (p *Pacemaker) Formation(ctx context.Context, app cluster.App) ([]ProcessView, error) {
	release, err := p.currentRelease(ctx, app)
	if err != nil {
		return nil, err
	}
	asked, err := p.store.Formations(ctx, app.ID)
	if err != nil {
		return nil, err
	}
	want := plan.Want(release, asked)
	out := make([]ProcessView, 0, len(release.Processes))
	for _, proc := range release.Processes {
		out = append(out, ProcessView{Process: proc, Quantity: want[proc.Name], Limits: plan.Limits(proc, asked).OrDefault(), Set: setOf(asked[proc.Name])})
	}
	return out, nil
}

// ChangeFormation scales process types and changes their limits. Instances
// whose limits change are replaced.
func (p *Pacemaker) ChangeFormation(ctx context.Context, app cluster.App, changes map[string]ProcessChange, user string) (cluster.Operation, error) {
	release, err := p.currentRelease(ctx, app)
	if err != nil {
		return cluster.Operation{}, err
	}
	if release.ID == "" {
		return cluster.Operation{}, cluster.Conflict("app %q has no release yet (deploy it first: git push aorta main)", app.Name)
	}
	if len(changes) == 0 {
		return cluster.Operation{}, cluster.Invalid("types", "names no process type")
	}
	p.forming.Lock()
	defer p.forming.Unlock()
	asked, err := p.store.Formations(ctx, app.ID)
	if err != nil {
		return cluster.Operation{}, err
	}
	changes, err = absolute(changes, plan.Want(release, asked))
	if err != nil {
		return cluster.Operation{}, err
	}
	var list []cluster.Formation
	var names, relimited []string
	for _, typ := range slices.Sorted(maps.Keys(changes)) {
		c := changes[typ]
		f, err := changed(app, release, asked, typ, c)
		if err != nil {
			return cluster.Operation{}, err
		}
		list = append(list, f)
		names = append(names, describe(typ, c))
		if c.limits() {
			relimited = append(relimited, typ)
		}
	}
	if err := p.fits(ctx, release, asked, list); err != nil {
		return cluster.Operation{}, err
	}
	return p.begin(ctx, cluster.Operation{
		Kind: cluster.OpScale, AppID: app.ID, User: user, Args: cluster.Request{Relimited: relimited}.Encode(),
		Title: fmt.Sprintf("Scale %s: %s", app.Name, strings.Join(names, ", ")),
	}, store.WithFormations(list))
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

// fits refuses at once more of a process type than the nodes could ever hold,
// whatever else ends there. To ask for less than before is always fine.
func (p *Pacemaker) fits(ctx context.Context, release cluster.Release, asked map[string]cluster.Formation, list []cluster.Formation) error {
	room, err := p.room(ctx)
	if err != nil {
		return err
	}
	after := maps.Clone(asked)
	for _, f := range list {
		after[f.Type] = f
	}
	was, want := plan.Want(release, asked), plan.Want(release, after)
	for _, f := range list {
		proc, _ := release.Process(f.Type)
		before, limits := plan.Limits(proc, asked), plan.Limits(proc, after)
		if want[f.Type] <= was[f.Type] && limits == before {
			continue
		}
		limits.Memory = limits.OrDefault().Memory
		var full *place.NoRoom
		if errors.As(place.Fits(requestOf(release, proc, after, want[f.Type]), room.nodes), &full) {
			return cluster.Conflict("%s=%d of %s each is more than the nodes could ever hold, %d at most: %s (ask for less, or add a node: aorta nodes token)",
				f.Type, full.Count, cluster.Size(limits.Memory), full.Placed, full.Reasons())
		}
	}
	return nil
}

func changed(app cluster.App, release cluster.Release, asked map[string]cluster.Formation, typ string, c ProcessChange) (cluster.Formation, error) {
	if _, ok := release.Process(typ); !ok {
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
	return f, nil
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
	return f
}

func typeNames(r cluster.Release) string {
	names := make([]string, len(r.Processes))
	for i, p := range r.Processes {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
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
	}{{s.Quantity, "quantity"}, {s.Memory, "memory"}, {s.CPUs, "cpus"}} {
		if part.is {
			names = append(names, part.name)
		}
	}
	return names
}
