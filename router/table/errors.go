package table

import (
	"errors"
	"fmt"
	"strings"

	"aorta/router"
)

var (
	// ErrFenced is router.ErrFenced, so that callers need not know this package.
	ErrFenced = router.ErrFenced
	// ErrUnclaimed: the table has no owner, as after its Redis came back empty.
	// Check the epoch in SQL, then Claim and Replace.
	ErrUnclaimed = errors.New("the routing table has no owner: claim it and publish it whole")
	// ErrStale: the pair is not above the one that was published last.
	ErrStale = errors.New("epoch and generation do not rise above what is published")
	// ErrForeign: the Redis holds the table of another cluster.
	ErrForeign = errors.New("this Redis holds the routing table of another cluster")
)

// BrokenError names records that could not be read. The table that comes with
// it holds all the others.
type BrokenError struct {
	Causes map[string]error // by host name
}

// Error names up to three of them.
func (e *BrokenError) Error() string {
	var shown []string
	for host, cause := range e.Causes {
		if len(shown) == 3 {
			break
		}
		shown = append(shown, fmt.Sprintf("%s (%v)", host, cause))
	}
	return fmt.Sprintf("%d broken route records, publish them again: %s", len(e.Causes), strings.Join(shown, "; "))
}
