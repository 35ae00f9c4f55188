package place

import "aorta/pacemaker/cluster"

// CPUOvercommit is how many times a node's cores may be promised: a CPU limit
// is a ceiling that few instances touch at once, unlike memory, which is never
// promised twice.
const CPUOvercommit = 4

// DiskFloor is what stays free on the engine's disk when an image comes onto it:
// containers write there, too, and one that is full harms all of them.
const DiskFloor = 512 << 20

// Node is what the choice knows of one node. What a zero value leaves open, of its
// memory, CPUs, disk and architecture, is not known yet, and then it refuses nothing.
type Node struct {
	ID       cluster.ID
	Name     string
	Heart    bool    // it runs instances at all
	Ready    bool    // it is heard, neither suspect nor dead
	Dead     bool    // it is dead, where it is not ready
	Draining bool    // an operator empties it
	Empty    bool    // nothing is on it
	Held     bool    // it was lost lately: others come first
	Score    float64 // 0 idle … 1 full
	Memory   int64
	CPUs     float64
	Reserved cluster.Limits // promised to its live instances
	Siblings int            // live instances of the same app and process type

	Arch     string            // such as amd64
	DiskFree int64             // bytes of the engine's disk, less what is on its way there
	HasImage bool              // the image asked for is there, or on its way
	Tags     map[string]string // all, its own word among them: what may be preferred
	SetTags  map[string]string // of those, what people have set: what may be required
}

// Request asks for Count instances of one process type. Memory is what each
// will be limited to; CPUs count only where the type names them.
type Request struct {
	Count  int
	Limits cluster.Limits
	Tags   cluster.Tags
	Image  Image
}

// Image is what has to be known of the one to run. A zero value is not known.
type Image struct {
	Arch string
	Size int64 // bytes on an engine's disk
}

// prefers counts the preferred tags that the node has.
func (r Request) prefers(n *Node) int {
	count := 0
	for _, t := range r.Tags.Prefer {
		if t.In(n.Tags) {
			count++
		}
	}
	return count
}
