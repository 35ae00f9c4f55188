package overview

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"aorta/pacemaker/cluster"
)

// Severity is how bad it is: ok, warn or bad.
type Severity string

// The severities. Bad: requests fail, or changes can't be made. Warn: it works, and
// somebody should check.
const (
	SeverityOK   Severity = "ok"
	SeverityWarn Severity = "warn"
	SeverityBad  Severity = "bad"
)

// Concern is one thing that is wrong.
type Concern struct {
	Severity Severity
	Kind     string // job, node, app, or that of a part: router, redis, sql, engine, disk
	ID       string // of a job, node or instance; the name of a process type, or of a part with its node's id
	App      string // name, of an app or a job
	AppID    cluster.ID
	Node     string // name, of what is wrong with one node, or can't leave it
	Text     string
	Since    time.Time // zero: unknown
	Lacks    bool      // instances: it began when the last of its app's went, where nothing better is known
}

// Key names the concern while it lasts.
func (c Concern) Key() string { return c.Kind + " " + c.ID + c.App + " " + string(c.Severity) }

// Reason is the text with the next step in a terminal, where the text has none.
func (c Concern) Reason() string {
	if c.Kind != "job" {
		return c.Text
	}
	return fmt.Sprintf("%s (see aorta jobs show %s; to dismiss it: aorta jobs discard %[2]s)", strings.TrimSuffix(c.Text, "."), cluster.ID(c.ID).Short())
}

// Concerns lists what is wrong in what the snapshot shows, the worst first, and
// of that what others may follow from.
func (g Snapshot) Concerns() []Concern {
	var out []Concern
	for _, n := range g.Nodes {
		out = append(out, n.own(n.faults(len(g.Nodes) > 1))...)
	}
	for _, a := range g.Apps {
		if c, wrong := a.concern(); wrong {
			out = append(out, c)
		}
		if a.Severity != SeverityBad { // which tells of them
			out = append(out, a.crashes()...)
		}
		out = append(out, a.placements()...)
		out = append(out, a.doubts()...)
	}
	if g.Guarded {
		out = append(out, g.massSilence())
	}
	out = append(out, g.maybeLost()...)
	for _, n := range g.Nodes {
		n.RouterSilent = n.RouterSilent && !g.mayBeLost(n) // which says so
		out = append(out, n.own(n.concerns(g.Guarded))...)
	}
	out = append(out, g.unreached()...)
	out = append(out, g.failures()...)
	slices.SortStableFunc(out, func(a, b Concern) int { return cmp.Compare(a.Severity, b.Severity) }) // bad before warn
	return out
}

// own marks concerns as those of the node.
func (n Node) own(list []Concern) []Concern {
	for i := range list {
		list[i].Node = n.Name
	}
	return list
}

// concern is what the verdict on an app has of trouble. What a job failed to do, what
// crashes while others run and what finds no node are concerns of their own.
func (a App) concern() (Concern, bool) {
	c := Concern{Severity: a.Severity, Kind: "app", App: a.Name, AppID: a.ID}
	elsewhere := a.Release == "" || a.Unheard || a.Severity == SeverityWarn && len(a.Crashing)+len(a.NoRoom) > 0
	if a.Destroying || a.Severity == SeverityOK || elsewhere {
		return c, false
	}
	more := ""
	if !a.NextTry.IsZero() {
		more = fmt.Sprintf(", the next try is at %s UTC", a.NextTry.UTC().Format(time.TimeOnly))
	}
	c.Lacks = a.Missing > 0 && len(a.Crashing) == 0
	c.Text = fmt.Sprintf("%s%s (see aorta logs -a %s).", a.Verdict.of(a.Name), more, a.Name)
	return c, true
}

// placements are the process types of which something finds no node.
func (a App) placements() []Concern {
	out := make([]Concern, 0, len(a.NoRoom))
	for _, r := range a.NoRoom {
		if r.Instance != "" {
			out = append(out, Concern{Severity: SeverityWarn, Kind: "app", ID: r.Instance, App: a.Name, AppID: a.ID, Node: r.NodeName, Text: r.stays(a.Name) + ".", Since: r.Since})
			continue
		}
		verb := "find"
		if r.Count == 1 {
			verb = "finds"
		}
		out = append(out, Concern{
			Severity: SeverityWarn, Kind: "app", ID: r.Type, App: a.Name, AppID: a.ID, Since: r.Since,
			Text: fmt.Sprintf("%d %s of %s %s no node: %s (%s).", r.Count, r.Type, a.Name, verb, r.Reason, r.Next),
		})
	}
	return out
}

// stays says what does not leave its node, without the end of the sentence.
func (r NoRoom) stays(app string) string {
	from := r.NodeName
	if r.Displaced {
		from = "the former address of " + r.NodeName
	}
	return fmt.Sprintf("%s of %s is to leave %s and finds no other node: %s (%s)", r.Instance, app, from, r.Reason, r.Next)
}

func (a App) crashes() []Concern {
	out := make([]Concern, 0, len(a.Crashing))
	for _, in := range a.Crashing {
		out = append(out, Concern{
			Severity: SeverityWarn, Kind: "app", ID: string(in.ID), App: a.Name, AppID: a.ID,
			Text: fmt.Sprintf("Instance %s of %s is %s (see aorta logs -a %[2]s -i %[4]s).", in.Name(), a.Name, crashText(in), in.ID.Short()),
		})
	}
	return out
}

// faults are those of the parts of a node that is heard. named says that there are
// others.
func (n Node) faults(named bool) []Concern {
	if n.Unheard {
		return nil
	}
	var out []Concern
	for _, p := range n.Parts {
		if p.Fault == "" {
			continue
		}
		c := Concern{Severity: SeverityBad, Kind: string(p.Kind), ID: p.Name + " " + string(n.ID), Text: p.Fault, Since: p.Since}
		if p.Minor {
			c.Severity = SeverityWarn
		}
		if named {
			c.Text = n.Name + ": " + p.Fault
		}
		out = append(out, c)
	}
	return out
}

// massSilence is told in place of the silence of each of many nodes: what they have in
// common is more likely to be the fault.
func (g Snapshot) massSilence() Concern {
	hearts, silent := 0, []string{}
	for _, n := range g.Nodes {
		if !n.Has(cluster.RoleHeart) {
			continue
		}
		hearts++
		if n.State != cluster.NodeReady {
			silent = append(silent, n.Name)
		}
	}
	return Concern{Severity: SeverityBad, Kind: "node", Text: fmt.Sprintf(
		"%d of %d nodes are silent (%s), so nothing is replaced: check this machine's own network first. If one of them is lost for good, run aorta nodes declare-dead NODE.",
		len(silent), hearts, strings.Join(silent, ", "))}
}

// concerns are those of the node. While many are silent, that one is has been said.
func (n Node) concerns(guarded bool) []Concern {
	var out []Concern
	if n.RouterSilent && !n.Unheard {
		out = append(out, Concern{Severity: SeverityBad, Kind: "router", ID: string(n.ID), Text: fmt.Sprintf("The router on %s is silent: check aortad and nginx there.", n.Name)})
	}
	out = append(out, n.routerConcerns()...)
	if n.Unheard && guarded && n.Has(cluster.RoleHeart) && !n.Lost() {
		return out
	}
	if n.Unheard {
		return append(out, n.silence())
	}
	if n.SaysAt != "" {
		out = append(out, n.unshownAddress())
	}
	if len(n.Unknown) > 0 {
		out = append(out, Concern{Severity: SeverityWarn, Kind: "node", ID: string(n.ID), Text: fmt.Sprintf(
			"Node %s runs %d instances that this cluster does not know (%s): list them with docker ps, and remove them there.", n.Name, len(n.Unknown), n.Unknown[0])})
	}
	return out
}

// unshownAddress is told while the node's instances would be where nobody knows it to be.
func (n Node) unshownAddress() Concern {
	from, next := "", "Check its node_address, and the way from the pacemaker to that address."
	if n.HeardFrom != "" && n.HeardFrom != n.SaysAt {
		from = ", which hears it from " + n.HeardFrom
		next = fmt.Sprintf("Check the way from the pacemaker to that address, or give the node the one that others reach it at (--node-address, such as %s where that is its own).", n.HeardFrom)
	}
	return Concern{Severity: SeverityWarn, Kind: "node", ID: string(n.ID) + " address", Text: fmt.Sprintf(
		"Node %s says that its instances are at %s, and no connection from there has reached the pacemaker%s: no requests are sent there until one does. %s", n.Name, n.SaysAt, from, next)}
}

// silence is told once, of the node with its router: who looks at one has to look at
// both, and requests fail where there is no router. A machine that is lost for good is
// taken out by people alone; the pacemaker's can't be.
func (n Node) silence() Concern {
	c := Concern{Severity: SeverityWarn, Kind: "node", ID: string(n.ID)}
	if n.HeardAt != nil {
		c.Since = *n.HeardAt
	}
	who, next := "is silent", "check aortad and the network there"
	if n.Refused != "" {
		next = fmt.Sprintf("it is refused when it comes (%s), see the log of aortad there", n.Refused)
	}
	if n.Lost() {
		who = "is dead"
		if n.Has(cluster.RoleHeart) {
			next = n.replaced() + ", and it is used again once it reports; " + next
		}
	}
	if n.RouterSilent {
		c.Severity = SeverityBad
		who += ", its router too"
	}
	if !n.Has(cluster.RolePacemaker) {
		next += fmt.Sprintf("; if the machine is lost for good, run aorta nodes remove %s", n.Name)
	}
	c.Text = fmt.Sprintf("Node %s %s: %s.", n.Name, who, next)
	return c
}

// replaced says how much of what ran on a dead node runs elsewhere.
func (n Node) replaced() string { return Replaced(n.Wanted) }

// Replaced says so of a dead node with as many instances that are still to run.
func Replaced(wanted int) string {
	switch wanted {
	case 0:
		return "all that ran there runs elsewhere"
	case 1:
		return "1 instance there is not replaced yet"
	}
	return fmt.Sprintf("%d instances there are not replaced yet", wanted)
}

func (g Snapshot) failures() []Concern {
	names := make(map[cluster.ID]string, len(g.Apps))
	for _, a := range g.Apps {
		names[a.ID] = a.Name
	}
	out := make([]Concern, 0, len(g.Attention))
	for _, op := range g.Attention {
		c := Concern{Severity: SeverityWarn, Kind: "job", ID: string(op.ID), App: names[op.AppID], AppID: op.AppID, Text: op.Title + " failed: " + firstLine(op.Error)}
		if op.EndedAt != nil {
			c.Since = *op.EndedAt
		}
		out = append(out, c)
	}
	return out
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
