package logs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"aorta/pacemaker/cluster"
)

// mark is how far one stream was shipped: the time of its last chunk, and how
// many chunks carry exactly that time.
type mark struct {
	Time  time.Time `json:"time"`
	Count int       `json:"count"`
}

// position is how far an instance's output was shipped. The streams have marks
// of their own, because the engine stamps each before it writes either: across
// streams, a later chunk can carry an earlier time.
type position map[string]mark

// disorder is how far apart in time two neighbouring chunks of different
// streams may stand; a reader begins that much before the last shipped one.
const disorder = 2 * time.Second

// since is where to begin to read again.
func (p position) since() time.Time {
	var last time.Time
	for _, m := range p {
		if m.Time.After(last) {
			last = m.Time
		}
	}
	if last.IsZero() {
		return last
	}
	return last.Add(-disorder)
}

// reader counts chunks of a stream and tells which were shipped before.
type reader struct {
	shipped position // or under way, as it was when the reader began
	seen    position // of this reader
}

func newReader(p position) *reader {
	return &reader{shipped: p.clone(), seen: position{}}
}

// next counts one chunk and says whether it is new.
func (r *reader) next(stream string, at time.Time) bool {
	m := r.seen[stream]
	if m.Time.Equal(at) {
		m.Count++
	} else {
		m = mark{Time: at, Count: 1}
	}
	r.seen[stream] = m
	old := r.shipped[stream]
	return at.After(old.Time) || at.Equal(old.Time) && m.Count > old.Count
}

func (p position) clone() position {
	c := position{}
	for k, v := range p {
		c[k] = v
	}
	return c
}

func (s *Shipper) positionFile(id cluster.ID) string {
	return filepath.Join(s.dir, string(id)+".json")
}

func (s *Shipper) loadPosition(id cluster.ID) (position, error) {
	data, err := os.ReadFile(s.positionFile(id))
	if errors.Is(err, fs.ErrNotExist) {
		return position{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read how far logs were shipped: %w", err)
	}
	p := position{}
	if err := json.Unmarshal(data, &p); err != nil {
		// A half-written file after a crash of the machine: doubled lines are
		// better than none.
		s.log.Warn("a position of shipped logs is unreadable; its kept output is shipped again", "instance", id, "err", err)
		return position{}, nil
	}
	return p, nil
}

func (s *Shipper) savePosition(id cluster.ID, p position) error {
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode a log position: %w", err)
	}
	file := s.positionFile(id)
	if err := os.WriteFile(file+".new", data, 0o600); err != nil {
		return fmt.Errorf("write a log position: %w", err)
	}
	return os.Rename(file+".new", file)
}
