package cluster

import (
	"fmt"
	"strconv"
	"strings"
)

// Lease shows which copy of a node's data directory is the node. A node gets another
// with each session, keeps it on its disk and presents it with the next one: what is
// on a copy is outdated by then. It is a count and an id, COUNT.ID; the
// count tells which of two is newer, also to a pacemaker whose database is an older one.
type Lease string

// NoLease is what a node presents that was given none yet; "" is that of a version
// which knows of no leases.
const NoLease Lease = "0"

// NewLease makes one that is newer than others.
func NewLease(others ...Lease) Lease {
	var count uint64
	for _, l := range others {
		count = max(count, l.count())
	}
	return Lease(fmt.Sprintf("%d.%s", count+1, NewID()))
}

// NewerThan tells whether the lease was given after another one.
func (l Lease) NewerThan(other Lease) bool { return l.count() > other.count() }

func (l Lease) count() uint64 {
	text, _, _ := strings.Cut(string(l), ".")
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0 // no lease, or none that was given here
	}
	return n
}
