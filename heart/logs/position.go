package logs

import "encoding/json"

// position is up to where an instance's output was taken, as the log store keeps
// it.
type position struct {
	// Serial rises with each part, also with those that hold only lines of the
	// platform.
	Serial uint64 `json:"serial"`
	spot
	// Back is where a line begins whose end had not come: reading begins there,
	// and drops the lines that end before the spot.
	Back *spot `json:"back,omitempty"`
	Last int64 `json:"last,omitempty"` // time of the last line, Unix nanoseconds
}

// spot is a place that outlives the process.
type spot struct {
	File   string `json:"file,omitempty"` // key of the file; empty before the first record
	Offset int64  `json:"offset,omitempty"`
}

func (p place) spot() spot {
	if p.file == nil || p.file.id.Head == "" {
		return spot{}
	}
	return spot{File: p.file.id.Key(), Offset: p.offset}
}

func (p position) String() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // numbers and strings can be encoded
	}
	return string(text)
}

// parsePosition reads what String wrote; empty is the beginning.
func parsePosition(text string) (p position, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &p)
	}
	return p, err
}
