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

// ProcessView is a process type of an app as it is to run.
type ProcessView struct {
	Process  cluster.ProcessType
	Quantity int
	Limits   cluster.Limits
	Tags     cluster.Tags
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
		out = append(out, ProcessView{Process: proc, Quantity: want[proc.Name], Limits: plan.Limits(proc, asked).OrDefault(), Tags: plan.Tags(proc, asked), Set: setOf(asked[proc.Name])})
	}
	return out, nil
}

// ChangeFormation scales process types and changes their limits and tags. Instances
// whose limits change are replaced, and those on nodes that they may not be on any more.
func (p *Pacemaker) ChangeFormation(ctx context.Context, app cluster.App, changes map[string]ProcessChange, user string) (cluster.Operation, error) {
	p.forming.Lock()
	defer p.forming.Unlock()
	c, err := p.formationChange(ctx, app, changes)
	if err != nil {
		return cluster.Operation{}, err
	}
	return p.begin(ctx, cluster.Operation{
		Kind: cluster.OpScale, AppID: app.ID, User: user, Args: c.args.Encode(), Title: c.title,
	}, store.WithFormations(c.list))
}

// formationChange is a change of an app's formation that was found to be possible.
type formationChange struct {
	release cluster.Release
	asked   map[string]cluster.Formation // of before
	list    []cluster.Formation          // what changes
	args    cluster.Request
	title   string
}

// after is what is asked once it is made.
func (c formationChange) after() map[string]cluster.Formation {
	after := maps.Clone(c.asked)
	for _, f := range c.list {
		after[f.Type] = f
	}
	return after
}

func (p *Pacemaker) formationChange(ctx context.Context, app cluster.App, changes map[string]ProcessChange) (c formationChange, err error) {
	if c.release, err = p.currentRelease(ctx, app); err != nil {
		return c, err
	}
	if c.release.ID == "" {
		return c, cluster.Conflict("app %q has no release yet (deploy it first: git push aorta main)", app.Name)
	}
	if len(changes) == 0 {
		return c, cluster.Invalid("types", "names no process type")
	}
	if c.asked, err = p.store.Formations(ctx, app.ID); err != nil {
		return c, err
	}
	if changes, err = absolute(changes, plan.Want(c.release, c.asked)); err != nil {
		return c, err
	}
	if err := c.add(app, changes); err != nil {
		return c, err
	}
	return c, p.fits(ctx, c)
}

// add takes what is to change of each process type.
func (c *formationChange) add(app cluster.App, changes map[string]ProcessChange) error {
	var names []string
	for _, typ := range slices.Sorted(maps.Keys(changes)) {
		change := changes[typ]
		f, err := changed(app, c.release, c.asked, typ, change)
		if err != nil {
			return err
		}
		c.list = append(c.list, f)
		names = append(names, describe(typ, change))
		if change.limits() {
			c.args.Relimited = append(c.args.Relimited, typ)
		}
		if change.requires() {
			c.args.Retagged = append(c.args.Retagged, typ)
		}
	}
	c.title = fmt.Sprintf("Scale %s: %s", app.Name, strings.Join(names, ", "))
	return nil
}

// fits refuses at once more of a process type than the nodes could ever hold,
// whatever else ends there. To ask for less than before is always fine.
func (p *Pacemaker) fits(ctx context.Context, c formationChange) error {
	room, err := p.room(ctx)
	if err != nil {
		return err
	}
	after := c.after()
	was, want := plan.Want(c.release, c.asked), plan.Want(c.release, after)
	for _, f := range c.list {
		proc, _ := c.release.Process(f.Type)
		before, request := requestOf(c.release, proc, c.asked, was[f.Type]), requestOf(c.release, proc, after, want[f.Type])
		if request.Count <= before.Count && request.Limits == before.Limits && slices.Equal(request.Tags.Require, before.Tags.Require) {
			continue
		}
		var full *place.NoRoom
		if errors.As(place.Fits(request, room.nodes), &full) {
			return tooMuch(f.Type, request, full)
		}
	}
	return nil
}

func tooMuch(typ string, request place.Request, full *place.NoRoom) error {
	each := cluster.Size(request.Limits.Memory) + " each"
	instead := "ask for less, or add a node: aorta nodes token"
	if tags := strings.Join(cluster.TagTexts(request.Tags.Require), " "); tags != "" {
		each += " on nodes with " + tags
		instead = "ask for less, set the tags on a node, aorta nodes tag NODE KEY=VALUE, or add one: aorta nodes token"
	}
	return cluster.Conflict("%s=%d of %s is more than the nodes could ever hold, %d at most if nothing else ran there: %s (%s)", typ, full.Count, each, full.Placed, full.Reasons(), instead)
}

func typeNames(r cluster.Release) string {
	names := make([]string, len(r.Processes))
	for i, p := range r.Processes {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
}
