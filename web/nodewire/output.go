package nodewire

import (
	"fmt"
	"time"

	"aorta/pacemaker/cluster"
)

// LogPart is what an instance printed between two positions. Its lines come as
// columns of one length, since a node may send fifty thousand a second.
type LogPart struct {
	Instance cluster.ID `json:"instance"`
	Type     string     `json:"type"`
	Release  string     `json:"release"`
	From     string     `json:"from"`
	To       string     `json:"to"`
	Times    []int64    `json:"times"` // Unix nanoseconds
	Streams  []string   `json:"streams"`
	Texts    []string   `json:"texts"`
}

// Output is what a node ships at once. It has ways of its own to be written and read,
// see outputtext.go.
type Output []LogPart

// FromLogParts are the shapes of parts. Their apps and nodes are left out: the
// pacemaker knows them.
func FromLogParts(parts []cluster.LogPart) Output { return each(parts, fromLogPart) }

func fromLogPart(p cluster.LogPart) LogPart {
	w := LogPart{
		Instance: p.Instance, Type: p.Type, Release: p.Release, From: p.From, To: p.To,
		Times: make([]int64, len(p.Lines)), Streams: make([]string, len(p.Lines)), Texts: make([]string, len(p.Lines)),
	}
	for i, l := range p.Lines {
		w.Times[i], w.Streams[i], w.Texts[i] = l.Time.UnixNano(), l.Stream, l.Text
	}
	return w
}

// DomainLogParts are the values that the shapes carry. Columns that differ in
// length are invalid.
func DomainLogParts(parts Output) ([]cluster.LogPart, error) {
	for i, w := range parts {
		if len(w.Times) != len(w.Texts) || len(w.Streams) != len(w.Texts) {
			return nil, cluster.Invalid(fmt.Sprintf("parts[%d]", i), "has %d times, %d streams and %d texts, not as many of each", len(w.Times), len(w.Streams), len(w.Texts))
		}
	}
	return each(parts, LogPart.domain), nil
}

func (w LogPart) domain() cluster.LogPart {
	p := cluster.LogPart{Instance: w.Instance, Type: w.Type, Release: w.Release, From: w.From, To: w.To}
	if len(w.Texts) > 0 {
		p.Lines = make([]cluster.LogText, 0, len(w.Texts))
	}
	for i, text := range w.Texts {
		p.Lines = append(p.Lines, cluster.LogText{Time: time.Unix(0, w.Times[i]).UTC(), Stream: w.Streams[i], Text: text})
	}
	return p
}

// LogPositions answers parts: where the output of those instances ends here
// whose parts did not go on there and are not stored.
type LogPositions struct {
	Refused []LogPosition `json:"refused"`
}

// LogPosition is up to where an instance's output is stored.
type LogPosition struct {
	Instance cluster.ID `json:"instance"`
	At       string     `json:"at"`
}

// FromLogPositions is the shape of refused parts' positions.
func FromLogPositions(list []cluster.LogPosition) LogPositions {
	return LogPositions{Refused: each(list, fromLogPosition)}
}

// Domain are the values that the shape carries.
func (w LogPositions) Domain() []cluster.LogPosition { return each(w.Refused, LogPosition.domain) }

func fromLogPosition(p cluster.LogPosition) LogPosition { return LogPosition(p) }

func (w LogPosition) domain() cluster.LogPosition { return cluster.LogPosition(w) }
