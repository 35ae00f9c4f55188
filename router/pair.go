package router

import "fmt"

// MaxNumber is the highest epoch or generation: what Lua's JSON writes without
// loss.
const MaxNumber = 99_999_999_999_999

// Pair orders everything published: a later start of the state's owner has a
// higher epoch, a later publish in it a higher generation.
type Pair struct {
	Epoch      uint64 `json:"epoch"`
	Generation uint64 `json:"generation"`
}

// Less reports whether p was published before q.
func (p Pair) Less(q Pair) bool {
	if p.Epoch != q.Epoch {
		return p.Epoch < q.Epoch
	}
	return p.Generation < q.Generation
}

// String is "epoch.generation", for messages.
func (p Pair) String() string { return fmt.Sprintf("%d.%d", p.Epoch, p.Generation) }
