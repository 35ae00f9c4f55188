// Package place chooses nodes for instances. It is pure: equal worlds give
// equal answers, and it asks no clock, no network and no randomness. What is
// to run at all is decided in package plan.
package place

import (
	"container/heap"
	"fmt"
	"strings"

	"aorta/pacemaker/cluster"
)

// CPUOvercommit is how many times a node's cores may be promised: a CPU limit
// is a ceiling that few instances touch at once, unlike memory, which is never
// promised twice.
const CPUOvercommit = 4

// Node is what the choice knows of one node.
type Node struct {
	ID       cluster.ID
	Name     string
	Heart    bool    // it runs instances at all
	Ready    bool    // it is heard, neither suspect nor dead
	Draining bool    // an operator empties it
	Score    float64 // 0 idle … 1 full
	// Memory and CPUs are what the node has; a zero means that it is not known
	// yet, and then it refuses nothing.
	Memory   int64
	CPUs     float64
	Reserved cluster.Limits // promised to its live instances
	Siblings int            // live instances of the same app and process type
}

// Request asks for Count instances of one process type. Memory is what each
// will be limited to; CPUs count only where the type names them.
type Request struct {
	Count  int
	Limits cluster.Limits
}

// Refusal says why a node took none, or no more.
type Refusal struct {
	Node   string
	Reason string
}

// Choose gives one node id per instance, in order. When not all can be placed
// it gives none of them and a NoRoom that says why for each node.
func Choose(req Request, nodes []Node) ([]cluster.ID, error) {
	var open queue
	var refused []Refusal
	for _, n := range nodes {
		if reason := refuse(req, n); reason != "" {
			refused = append(refused, Refusal{n.Name, reason})
			continue
		}
		open = append(open, n)
	}
	heap.Init(&open)
	chosen := make([]cluster.ID, 0, req.Count)
	for len(chosen) < req.Count && len(open) > 0 {
		n := &open[0]
		chosen = append(chosen, n.ID)
		n.Siblings++
		n.Reserved.Memory += req.Limits.Memory
		n.Reserved.CPUs += req.Limits.CPUs
		if reason := refuse(req, *n); reason != "" {
			refused = append(refused, Refusal{n.Name, reason})
			heap.Pop(&open)
			continue
		}
		heap.Fix(&open, 0)
	}
	if len(chosen) < req.Count {
		return nil, &NoRoom{Count: req.Count, Placed: len(chosen), Refused: refused}
	}
	return chosen, nil
}

// Fits finds out whether the nodes could hold a request at all: were all of them
// heard, and nothing else on them. The error is a NoRoom. Nodes of which nothing is
// known yet could hold anything.
func Fits(req Request, nodes []Node) error {
	var empty []Node
	for _, n := range nodes {
		if !n.Heart {
			continue
		}
		if n.Memory == 0 {
			return nil
		}
		empty = append(empty, Node{ID: n.ID, Name: n.Name, Heart: true, Ready: true, Memory: n.Memory, CPUs: n.CPUs})
	}
	if len(empty) == 0 {
		return nil
	}
	_, err := Choose(req, empty)
	return err
}

func refuse(req Request, n Node) string {
	switch {
	case !n.Heart:
		return "runs no instances (no heart role)"
	case !n.Ready:
		return "is not heard"
	case n.Draining:
		return "is draining"
	case n.Memory > 0 && n.Reserved.Memory+req.Limits.Memory > n.Memory:
		return fmt.Sprintf("has %s of %s memory left, %s is needed", cluster.Size(max(0, n.Memory-n.Reserved.Memory)), cluster.Size(n.Memory), cluster.Size(req.Limits.Memory))
	case n.CPUs > 0 && req.Limits.CPUs > 0 && n.Reserved.CPUs+req.Limits.CPUs > n.CPUs*CPUOvercommit:
		return fmt.Sprintf("has promised %.2f of its %.0f × %d CPUs, %.2f more are needed", n.Reserved.CPUs, n.CPUs, CPUOvercommit, req.Limits.CPUs)
	}
	return ""
}

// NoRoom says that some of the instances asked for find no node.
type NoRoom struct {
	Count   int // asked for
	Placed  int // that would have found one
	Refused []Refusal
}

// Error is for people, with the reason of each node.
func (e *NoRoom) Error() string {
	return fmt.Sprintf("%d of %d instances find no node: %s", e.Count-e.Placed, e.Count, e.Reasons())
}

// Unwrap gives the error its code: what has no room now may have some later.
func (e *NoRoom) Unwrap() error { return cluster.Unavailable("%s", e.Error()) }

// shownReasons is how many nodes Reasons speaks of.
const shownReasons = 10

// Reasons says for each node why it takes none, or no more.
func (e *NoRoom) Reasons() string {
	if len(e.Refused) == 0 {
		return "the cluster has no node that runs instances"
	}
	var out []string
	for i, r := range e.Refused {
		if i == shownReasons {
			out = append(out, fmt.Sprintf("and %d more nodes", len(e.Refused)-shownReasons))
			break
		}
		out = append(out, r.Node+" "+r.Reason)
	}
	return strings.Join(out, "; ")
}

// queue has the best node first: fewest siblings, so that N instances are on N
// nodes if N will take them; then the lower score; then less that is promised; then the id.
type queue []Node

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	switch {
	case a.Siblings != b.Siblings:
		return a.Siblings < b.Siblings
	case a.Score != b.Score:
		return a.Score < b.Score
	case a.Reserved.Memory != b.Reserved.Memory: // two that are busy to the full
		return a.Reserved.Memory < b.Reserved.Memory
	}
	return a.ID < b.ID
}

func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is part of heap.Interface and never called: the queue only shrinks.
func (q *queue) Push(any) {}

// Pop is part of heap.Interface.
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
