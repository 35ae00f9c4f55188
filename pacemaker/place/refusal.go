package place

import (
	"fmt"
	"strings"

	"aorta/pacemaker/cluster"
)

// refusal is why a node may have no instance, or no more.
type refusal int

// The refusals, in the order in which they are found: what a node is before how it is,
// and that before what it has left.
const (
	fits refusal = iota
	noHeart
	tagsMissing
	archOther
	notHeard
	draining
	memoryShort
	cpusShort
	diskShort
)

// refuses says why the node may not have one more instance, after some of the request.
// It is asked for each node and instance, and makes no words.
func (n *Node) refuses(req Request, taken int) refusal {
	switch {
	case !n.Heart:
		return noHeart
	case lacksTags(req, n):
		return tagsMissing
	case otherArch(req, n):
		return archOther
	case !n.Ready:
		return notHeard
	case n.Draining:
		return draining
	}
	more := float64(taken + 1)
	switch {
	case n.Memory > 0 && n.Reserved.Memory+int64(taken+1)*req.Limits.Memory > n.Memory:
		return memoryShort
	case n.CPUs > 0 && req.Limits.CPUs > 0 && n.Reserved.CPUs+more*req.Limits.CPUs > n.CPUs*CPUOvercommit:
		return cpusShort
	case taken == 0 && !n.HasImage && n.DiskFree > 0 && req.Image.Size > 0 && n.DiskFree-req.Image.Size < DiskFloor:
		return diskShort
	}
	return fits
}

func lacksTags(req Request, n *Node) bool {
	for _, t := range req.Tags.Require {
		if !t.In(n.SetTags) {
			return true
		}
	}
	return false
}

func otherArch(req Request, n *Node) bool {
	return req.Image.Arch != "" && n.Arch != "" && req.Image.Arch != n.Arch
}

// reason is a refusal in words.
type reason struct {
	one  string // of one node: "has 1 GB of 2 GB memory left, 4 GB is needed"
	many string // of several nodes: "have too little memory left, 4 GB is needed"
	left string // what this one has left of what is short, beside the other nodes
	most float64
}

// verbs are the words for what is wrong with a node by itself.
var verbs = map[refusal]reason{
	noHeart: {one: "runs no instances (no heart role)", many: "run no instances (no heart role)"},
}

// words explain a refusal of the node after some of the request.
func (n *Node) words(why refusal, req Request, taken int) reason {
	switch why {
	case tagsMissing:
		return n.tagWords(req)
	case notHeard:
		return n.stateWords("suspect", "dead", n.Dead)
	case draining:
		return n.stateWords("draining", "drained", n.Empty)
	case archOther:
		text := n.Arch + ", and the image is for " + req.Image.Arch
		return reason{one: "is " + text, many: "are " + text}
	case memoryShort:
		return n.memoryWords(req, taken)
	case cpusShort:
		return n.cpuWords(req, taken)
	case diskShort:
		return n.diskWords(req)
	}
	return verbs[why]
}

// stateWords are one of two states, by the names that lists of nodes have for them.
func (n *Node) stateWords(state, other string, isOther bool) reason {
	if isOther {
		state = other
	}
	return reason{one: "is " + state, many: "are " + state}
}

func (n *Node) memoryWords(req Request, taken int) reason {
	left, need := max(0, n.Memory-n.Reserved.Memory-int64(taken)*req.Limits.Memory), cluster.Size(req.Limits.Memory)
	return reason{
		one:  fmt.Sprintf("has %s of %s memory left, %s is needed", cluster.Size(left), cluster.Size(n.Memory), need),
		many: "have too little memory left, " + need + " is needed",
		left: cluster.Size(left), most: float64(left),
	}
}

func (n *Node) cpuWords(req Request, taken int) reason {
	promised := n.Reserved.CPUs + float64(taken)*req.Limits.CPUs
	left := max(0, n.CPUs*CPUOvercommit-promised)
	return reason{
		one:  fmt.Sprintf("has promised %.2f of its %.0f × %d CPUs, %.2f more are needed", promised, n.CPUs, CPUOvercommit, req.Limits.CPUs),
		many: fmt.Sprintf("have promised too much of their CPUs (× %d), %.2f more are needed", CPUOvercommit, req.Limits.CPUs),
		left: fmt.Sprintf("%.2f", left), most: left,
	}
}

func (n *Node) diskWords(req Request) reason {
	need := fmt.Sprintf("the image takes %s, and %s stay free", cluster.Size(req.Image.Size), cluster.Size(DiskFloor))
	return reason{
		one:  fmt.Sprintf("has %s of disk left: %s", cluster.Size(n.DiskFree), need),
		many: "have too little disk left: " + need,
		left: cluster.Size(n.DiskFree), most: float64(n.DiskFree),
	}
}

// tagWords name the required tags that a node lacks. What it says of itself does not
// count: a node could get any app's secrets by a word of its own.
func (n *Node) tagWords(req Request) reason {
	var lacks, own []string
	for _, t := range req.Tags.Require {
		switch {
		case t.In(n.SetTags):
		case t.In(n.Tags):
			own = append(own, cluster.Tag{Key: t.Key, Value: n.Tags[t.Key]}.String())
		default:
			lacks = append(lacks, t.String())
		}
	}
	if len(lacks) > 0 {
		text := named("tag", lacks)
		return reason{one: "lacks " + text, many: "lack " + text}
	}
	text, set := named("tag", own), strings.Join(own, " ")
	return reason{
		one:  fmt.Sprintf("has %s by its own word alone, which counts once you set it (aorta nodes tag %s %s)", text, n.Name, set),
		many: fmt.Sprintf("have %s by their own word alone, which counts once you set it (aorta nodes tag NODE %s)", text, set),
	}
}

// named is a noun in the right number with what it names.
func named(noun string, list []string) string {
	if len(list) > 1 {
		noun += "s"
	}
	return noun + " " + cluster.And(list)
}
