package table

import (
	"encoding/json"
	"time"

	"aorta/router"
)

// tombstoneLife is how long a removed host's name is kept. A router that was
// cut off for longer loads the whole table.
const tombstoneLife = 24 * time.Hour

// tombstone stands where a removed host's record was.
type tombstone struct {
	Host string `json:"host"`
	Gone bool   `json:"gone"`
	router.Pair
	At int64 `json:"at"` // Unix seconds by the publisher's clock
}

// parseTombstone reports whether the text is one.
func parseTombstone(text string) (tombstone, bool) {
	var t tombstone
	err := json.Unmarshal([]byte(text), &t)
	return t, err == nil && t.Gone
}
