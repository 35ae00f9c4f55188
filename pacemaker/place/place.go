// Package place chooses nodes for instances. It is pure: equal worlds give
// equal answers, and it asks no clock, no network and no randomness. What is
// to run at all is decided in package plan.
package place

import (
	"container/heap"

	"aorta/pacemaker/cluster"
)

// Choose gives one node id per instance, in order: of the nodes that may have it those
// with the fewest of its kind first, then with more preferred tags, then with the lower
// score. When not all can be placed it gives none of them and a NoRoom that says why for
// each node.
func Choose(req Request, nodes []Node) ([]cluster.ID, error) {
	if req.Count == 1 {
		return chooseOne(req, nodes)
	}
	open := candidates(req, nodes)
	heap.Init(&open)
	chosen := make([]cluster.ID, 0, req.Count)
	for len(chosen) < req.Count && len(open) > 0 {
		c := &open[0]
		chosen = append(chosen, c.node.ID)
		c.take(req)
		if c.node.refuses(req, c.taken) == fits {
			heap.Fix(&open, 0)
		} else {
			heap.Pop(&open)
		}
	}
	if len(chosen) < req.Count {
		return nil, noRoom(req, nodes, chosen)
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
		bare := Node{ID: n.ID, Name: n.Name, Heart: true, Ready: true, Memory: n.Memory, CPUs: n.CPUs, Arch: n.Arch, Tags: n.Tags, SetTags: n.SetTags}
		if n.Memory == 0 && bare.refuses(req, 0) == fits {
			return nil
		}
		empty = append(empty, bare)
	}
	if len(empty) == 0 {
		return nil
	}
	_, err := Choose(req, empty)
	return err
}

// chooseOne is Choose of what a crash asks for, of each app by itself: it need not put
// all nodes in order, and asks first what is cheap to ask.
func chooseOne(req Request, nodes []Node) ([]cluster.ID, error) {
	var best *candidate
	for i := range nodes {
		n := &nodes[i]
		if best != nil && n.Held == best.node.Held && n.Siblings > best.siblings {
			continue
		}
		c := candidateOf(req, n)
		if (best == nil || c.better(best)) && n.refuses(req, 0) == fits {
			found := c
			best = &found
		}
	}
	if best == nil {
		return nil, noRoom(req, nodes, nil)
	}
	return []cluster.ID{best.node.ID}, nil
}

func candidates(req Request, nodes []Node) queue {
	open := make(queue, 0, len(nodes))
	for i := range nodes {
		if n := &nodes[i]; n.refuses(req, 0) == fits {
			open = append(open, candidateOf(req, n))
		}
	}
	return open
}
