package stats

import (
	"encoding/json"
	"fmt"
	"maps"
)

// Position says how much of a router's log is counted: the offset in each file,
// by the file's identity. The identity is the caller's; nil and empty both say
// that nothing is counted yet.
type Position map[string]int64

// Equal reports whether both are the same files at the same offsets.
func (p Position) Equal(q Position) bool { return maps.Equal(p, q) }

// Clone is a copy of its own.
func (p Position) Clone() Position { return maps.Clone(p) }

// text is the one form that a position has in Redis, where it is compared as
// text: JSON with sorted names, "" for nothing.
func (p Position) text() (string, error) {
	if len(p) == 0 {
		return "", nil
	}
	b, err := json.Marshal(map[string]int64(p))
	if err != nil {
		return "", fmt.Errorf("write a position: %w", err)
	}
	return string(b), nil
}

func parsePosition(text string) (Position, error) {
	if text == "" {
		return nil, nil
	}
	var p Position
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return nil, fmt.Errorf("read the position %q: %w", text, err)
	}
	return p, nil
}
