package place

import (
	"fmt"
	"slices"
	"strings"

	"aorta/pacemaker/cluster"
)

// Refusal says why a node took none, or no more.
type Refusal struct {
	Node   string
	Reason string
	reason reason
	id     cluster.ID
}

// NoRoom says that some of the instances asked for find no node.
type NoRoom struct {
	Count   int // asked for
	Placed  int // that would have found one
	Refused []Refusal
	remedy  Remedy
}

// Refusals say for each node why it may have none beside what it got of the request; a
// node that may have more is not among them.
func Refusals(req Request, nodes []Node, chosen []cluster.ID) []Refusal {
	taken := counted(chosen)
	var list []Refusal
	for i := range nodes {
		n := &nodes[i]
		if why := n.refuses(req, taken[n.ID]); why != fits {
			words := n.words(why, req, taken[n.ID])
			list = append(list, Refusal{n.Name, words.one, words, n.ID})
		}
	}
	return list
}

func counted(chosen []cluster.ID) map[cluster.ID]int {
	taken := map[cluster.ID]int{}
	for _, id := range chosen {
		taken[id]++
	}
	return taken
}

func noRoom(req Request, nodes []Node, chosen []cluster.ID) *NoRoom {
	return &NoRoom{Count: req.Count, Placed: len(chosen), Refused: Refusals(req, nodes, chosen), remedy: remedyFor(req, nodes, counted(chosen))}
}

// Error is for people, with the reason of each node.
func (e *NoRoom) Error() string {
	return fmt.Sprintf("%d of %d instances find no node: %s", e.Count-e.Placed, e.Count, e.Reasons())
}

// Unwrap gives the error its code: what has no room now may have some later.
func (e *NoRoom) Unwrap() error { return cluster.Unavailable("%s", e.Error()) }

// Reasons says why the nodes take none, or no more.
func (e *NoRoom) Reasons() string {
	if len(e.Refused) == 0 {
		return "the cluster has no node that runs instances"
	}
	return Summary(e.Refused)
}

// ReasonsBut says so of the nodes beside one that is to take none anyway, if there is one.
func (e *NoRoom) ReasonsBut(node cluster.ID) string {
	others := slices.DeleteFunc(slices.Clone(e.Refused), func(r Refusal) bool { return r.id == node })
	if node != "" && len(others) == 0 {
		return "there is no other node"
	}
	return (&NoRoom{Refused: others}).Reasons()
}

const (
	// shownReasons is how many reasons a summary gives.
	shownReasons = 10
	// namedNodes is how many nodes of one reason it names.
	namedNodes = 3
)

// Summary says in one line why nodes are refused. Nodes with the same reason share it:
// "9 nodes lack tag ssd; n3 has 124 MB of 1 GB memory left, 512 MB is needed".
func Summary(list []Refusal) string {
	groups := map[string][]Refusal{}
	var order []string
	for _, r := range list {
		if groups[r.reason.many] == nil {
			order = append(order, r.reason.many)
		}
		groups[r.reason.many] = append(groups[r.reason.many], r)
	}
	var out []string
	shown := 0
	for _, key := range order {
		if len(out) >= shownReasons {
			return strings.Join(out, "; ") + fmt.Sprintf("; and %d more nodes", len(list)-shown)
		}
		out = append(out, together(groups[key])...)
		shown += len(groups[key])
	}
	return strings.Join(out, "; ")
}

// together are nodes that are refused for the same, in as few words as say it.
func together(group []Refusal) []string {
	first := group[0].reason
	if len(group) > namedNodes {
		text := fmt.Sprintf("%d nodes %s", len(group), first.many)
		if most := mostLeft(group); most.reason.left != "" {
			text += fmt.Sprintf(" (%s has most: %s)", most.Node, most.reason.left)
		}
		return []string{text}
	}
	if len(group) == 1 || first.left != "" {
		alone := make([]string, len(group))
		for i, r := range group {
			alone[i] = r.Node + " " + r.Reason
		}
		return alone
	}
	names := make([]string, len(group))
	for i, r := range group {
		names[i] = r.Node
	}
	return []string{cluster.And(names) + " " + first.many}
}

func mostLeft(group []Refusal) Refusal {
	most := group[0]
	for _, r := range group[1:] {
		if r.reason.most > most.reason.most {
			most = r
		}
	}
	return most
}
