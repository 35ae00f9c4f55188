package logs

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"
)

// The version before, which read output through the engine's API, kept how far
// it had come in a file for each instance. What these say is used once, when the
// log store has no position of an instance yet, so that nothing is shipped twice
// across the upgrade. This file can go once no node is upgraded from a version
// older than the one that brought it.

// mark is how far a stream was shipped: the time of the last record, and how many
// records with exactly that time.
type mark struct {
	Time  time.Time `json:"time"`
	Count int       `json:"count"`
}

// marks are those of an instance, by stream.
type marks map[string]mark

func loadMarks(file string) (m marks, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read how far the version before had shipped output: %w", err)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("read how far the version before had shipped output, from %s: %w", file, err)
	}
	return m, nil
}

// counter finds the records that marks cover, in the order of the files.
type counter struct {
	shipped marks
	seen    marks
}

// covers counts one record and says whether it was shipped.
func (c counter) covers(r record) bool {
	m := c.seen[r.stream]
	if !m.Time.Equal(r.time) {
		m = mark{Time: r.time}
	}
	m.Count++
	c.seen[r.stream] = m
	old := c.shipped[r.stream]
	return r.time.Before(old.Time) || r.time.Equal(old.Time) && m.Count <= old.Count
}

// beginBehind goes behind the last record that marks cover, with the beginnings
// of lines before it that had not ended. It gives false when they cover none.
func (f *follower) beginBehind(r *reader, m marks) (found bool, err error) {
	c := counter{m, marks{}}
	p, covered := place{file: f.files.held[0]}, false
	for p.file != nil {
		read, err := r.read(stretch{from: p, until: math.MaxInt64}, math.MaxInt, func(rec record, at place, _ bool) {
			switch is := rec.stream != "" && c.covers(rec); {
			case is:
				found, covered = true, true
			case covered:
				f.at, covered = at, false
			}
		})
		if err != nil {
			return false, err
		}
		if p.offset += read; read > 0 {
			continue
		}
		if covered {
			f.at, covered = p, false
		}
		p = place{file: f.files.after(p.file)}
	}
	if found {
		f.replay(r, place{file: f.files.held[0]}.spot())
	}
	return found, nil
}

// earlierFile is the file of the version before, empty when there is none.
func (o *Options) earlierFile(t Target) string {
	if o.Earlier == "" {
		return ""
	}
	file := filepath.Join(o.Earlier, string(t.ID)+".json")
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}

// beginEarlier begins where the version before had ended, if it left a file.
func (f *follower) beginEarlier(r *reader) bool {
	if f.earlier == "" {
		return false
	}
	m, err := loadMarks(f.earlier)
	found := false
	if err == nil {
		found, err = f.beginBehind(r, m)
	}
	if err != nil {
		f.o.Log.Warn("an instance's output may be stored twice", "instance", f.target.ID, "err", err)
	}
	return found
}

// passEarlier is done with the file of the version before once the log store has
// a position in the engine's files.
func (f *follower) passEarlier(stored string) {
	if f.earlier == "" {
		return
	}
	if p, err := parsePosition(stored); err == nil && p.File != "" {
		f.removeEarlier()
	}
}

// removeEarlier removes the file, and with the last one the directory.
func (f *follower) removeEarlier() {
	if f.earlier == "" {
		return
	}
	if err := os.Remove(f.earlier); err != nil {
		f.o.Log.Warn("a file of the version before can't be removed (it does no harm)", "err", err)
	}
	_ = os.Remove(filepath.Dir(f.earlier)) // refused while there are others
	f.earlier = ""
}
