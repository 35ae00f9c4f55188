package place

// candidate is a node that may have one more.
type candidate struct {
	node      *Node
	preferred int   // tags that it has
	taken     int   // instances of the request that it has got
	siblings  int   // those included
	promised  int64 // bytes of memory, likewise
}

func candidateOf(req Request, n *Node) candidate {
	return candidate{node: n, preferred: req.prefers(n), siblings: n.Siblings, promised: n.Reserved.Memory}
}

func (c *candidate) take(req Request) {
	c.taken++
	c.siblings++
	c.promised += req.Limits.Memory
}

// better says which of two is to have the next: that which was not lost lately; then
// that with fewer siblings, so that N instances are on N nodes if N will take them; then
// with more of the preferred tags; then with the lower score; then with less that is
// promised; then by the id.
func (c *candidate) better(than *candidate) bool {
	switch {
	case c.node.Held != than.node.Held:
		return than.node.Held
	case c.siblings != than.siblings:
		return c.siblings < than.siblings
	case c.preferred != than.preferred:
		return c.preferred > than.preferred
	case c.node.Score != than.node.Score:
		return c.node.Score < than.node.Score
	case c.promised != than.promised: // two that are busy to the full
		return c.promised < than.promised
	}
	return c.node.ID < than.node.ID
}

// queue has the best candidate first.
type queue []candidate

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool { return q[i].better(&q[j]) }

func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is part of heap.Interface and never called: the queue only shrinks.
func (q *queue) Push(any) {}

// Pop is part of heap.Interface.
func (q *queue) Pop() any {
	old := *q
	*q = old[:len(old)-1]
	return nil
}
