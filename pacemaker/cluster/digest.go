package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
)

// InstanceDigest sums up a set of instances, whatever their order: two sides
// with the same digest need not send the set.
func InstanceDigest(list []InstanceStatus) string {
	lines := make([]string, 0, len(list))
	for _, s := range list {
		started := int64(0)
		if s.StartedAt != nil {
			started = s.StartedAt.UnixNano()
		}
		line := fmt.Sprintf("%s %s %t %d %d %d %t %q", s.ID, s.State, s.Crashing, s.Restarts, s.Port, started, s.Gone, s.Short().Error)
		if s.Address != "" { // a heart of before tells none, and has no place for it in its digest
			line += " " + s.Address
		}
		if s.StopsAfter > 0 { // likewise
			line += fmt.Sprintf(" stops after %d", s.StopsAfter)
		}
		lines = append(lines, line+"\n")
	}
	sort.Strings(lines)
	h := sha256.New()
	for _, l := range lines {
		h.Write([]byte(l))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
