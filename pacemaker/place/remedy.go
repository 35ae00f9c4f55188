package place

import (
	"fmt"
	"slices"
	"strings"

	"aorta/pacemaker/cluster"
)

// Remedy is what would give the instances of a request a node, found by what stands in
// the way of each. A node is named only where that alone does.
type Remedy struct {
	Back     []string // silent nodes that would take one if they were heard
	Undrain  string   // a drained node, likewise
	Untagged string   // a node that would take one with the tags that it lacks
	Tags     []string // those
	NewNode  string   // what a new node must have, such as "tag ssd"; empty: nothing more than room
	Memory   bool     // a node has too little memory left, and no other fault
	CPUs     bool     // or promised too much of its CPUs
	DiskOf   string   // or too little disk left
}

// Remedy of instances that find no node.
func (e *NoRoom) Remedy() Remedy { return e.remedy }

// remedyFor asks of each node what it refuses for, and whether it would take one without
// that.
func remedyFor(req Request, nodes []Node, taken map[cluster.ID]int) Remedy {
	r := Remedy{NewNode: req.needs(nodes)}
	for i := range nodes {
		n := nodes[i] // a copy, to try it otherwise
		used := taken[n.ID]
		switch n.refuses(req, used) {
		case notHeard:
			if n.Ready = true; n.refuses(req, used) == fits {
				r.Back = append(r.Back, n.Name)
			}
		case draining:
			if n.Draining = false; r.Undrain == "" && n.refuses(req, used) == fits {
				r.Undrain = n.Name
			}
		case tagsMissing:
			untagged := req
			untagged.Tags.Require = nil
			if r.Untagged == "" && n.refuses(untagged, used) == fits {
				r.Untagged, r.Tags = n.Name, n.lacking(req)
			}
		case memoryShort:
			r.Memory = true
		case cpusShort:
			r.CPUs = true
		case diskShort:
			r.DiskOf = n.Name
		}
	}
	return r
}

// needs is what a node must have, whatever it has room for. The architecture is told where
// one of the nodes has another: else a person has the right one at hand.
func (r Request) needs(nodes []Node) string {
	var list []string
	for _, t := range r.Tags.Require {
		list = append(list, t.String())
	}
	var out []string
	if len(list) > 0 {
		out = append(out, named("tag", list))
	}
	if arch := r.Image.Arch; slices.ContainsFunc(nodes, func(n Node) bool { return otherArch(r, &n) }) {
		out = append(out, "architecture "+arch)
	}
	return cluster.And(out)
}

// lacking are the required tags that nobody has set on the node.
func (n *Node) lacking(req Request) []string {
	var out []string
	for _, t := range req.Tags.Require {
		if t.In(n.SetTags) {
			continue
		}
		if t.In(n.Tags) {
			t.Value = n.Tags[t.Key]
		}
		out = append(out, t.String())
	}
	return out
}

// Text names the next steps for a process type of an app, the one that changes least
// first. It never is to want fewer instances: what finds no node now is wanted.
func (r Remedy) Text(app, typ string) string {
	var out []string
	if len(r.Back) > namedNodes {
		out = append(out, fmt.Sprintf("bring one of %d silent nodes back", len(r.Back)))
	} else if len(r.Back) > 0 {
		out = append(out, "bring "+or(r.Back)+" back")
	}
	if r.Undrain != "" {
		out = append(out, "run aorta nodes undrain "+r.Undrain)
	}
	if r.DiskOf != "" {
		out = append(out, "free disk space on "+r.DiskOf)
	}
	newNode := "add a node"
	if r.NewNode != "" {
		newNode += " with " + r.NewNode
	}
	out = append(out, newNode)
	if r.Untagged != "" {
		out = append(out, fmt.Sprintf("run aorta nodes tag %s %s", r.Untagged, strings.Join(r.Tags, " ")))
	}
	return or(append(out, r.lessOfIt(app, typ)...))
}

// lessOfIt are the steps that let more of a process type onto a node.
func (r Remedy) lessOfIt(app, typ string) []string {
	var flags, words []string
	if r.Memory {
		flags, words = append(flags, "--memory SIZE"), append(words, "memory")
	}
	if r.CPUs {
		flags, words = append(flags, "--cpus N"), append(words, "CPU")
	}
	if len(flags) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("limit each to less %s: aorta ps type -a %s %s %s", cluster.And(words), app, typ, strings.Join(flags, " "))}
}

// or joins steps, of which one is enough.
func or(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	list = slices.Clone(list)
	last := len(list) - 1
	sep := " or "
	if last > 1 {
		sep = ", or "
	}
	return strings.Join(list[:last], ", ") + sep + list[last]
}
