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
		lines = append(lines, fmt.Sprintf("%s %s %t %d %d %d %t %q\n", s.ID, s.State, s.Crashing, s.Restarts, s.Port, started, s.Gone, s.Error))
	}
	sort.Strings(lines)
	h := sha256.New()
	for _, l := range lines {
		h.Write([]byte(l))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
