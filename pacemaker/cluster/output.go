package cluster

import "time"

// LogLine is one line of an instance's output.
type LogLine struct {
	Time     time.Time
	App      ID
	Instance ID
	Type     string
	Release  string
	Node     string
	Stream   string // stdout, stderr, or system for the platform's own words
	Text     string
}

// LogPart is what an instance printed between two positions in its output.
// Positions are the heart's: everybody else only compares them, and keeps To
// once it has the lines. A part is stored when From is the position that is
// kept, so that one that is sent again is stored once. From and To are empty
// before the first line. A part without lines asks for the position.
type LogPart struct {
	Instance ID
	App      ID // put in by the pacemaker, as Node is
	Type     string
	Release  string
	Node     string
	From, To string // at most MaxLogPosition bytes
	Lines    []LogText
}

// MaxLogPosition bounds a position, in bytes.
const MaxLogPosition = 1024

// LogText is one line of a part.
type LogText struct {
	Time   time.Time
	Stream string
	Text   string
}

// LogPosition is up to where an instance's output is kept.
type LogPosition struct {
	Instance ID
	At       string // empty when nothing is
}
