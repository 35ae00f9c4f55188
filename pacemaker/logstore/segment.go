package logstore

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// segment is one file of an app. Lines are numbered from 1 over the app's
// whole life; a line's number is its cursor. Plain ones are named
// DAY-FIRST.log, closed ones DAY-FIRST-COUNT-MIN-MAX.zst, so that nothing of a
// closed one has to be read to know what it holds.
type segment struct {
	day    string // of arrival, UTC, 20060102
	first  uint64 // number of its first line
	tally         // of its lines
	size   int64  // bytes on disk; of a plain one, up to the end of its last whole line
	closed bool   // compressed
}

// tally is how many lines there are, and of which times.
type tally struct {
	count uint64
	minT  int64 // lowest time of a line, Unix nanoseconds
	maxT  int64 // highest
}

var noLines = tally{minT: math.MaxInt64, maxT: math.MinInt64}

// add counts a line in.
func (t *tally) add(nano int64) {
	t.count++
	t.minT, t.maxT = min(t.minT, nano), max(t.maxT, nano)
}

// merge counts others in.
func (t *tally) merge(o tally) {
	t.count += o.count
	t.minT, t.maxT = min(t.minT, o.minT), max(t.maxT, o.maxT)
}

const dayLayout = "20060102"

var (
	plainName  = regexp.MustCompile(`^(\d{8})-([0-9a-f]{16})\.log$`)
	closedName = regexp.MustCompile(`^(\d{8})-([0-9a-f]{16})-(\d+)-(-?\d+)-(-?\d+)\.zst$`)
)

func newSegment(now time.Time, first uint64) segment {
	return segment{day: now.UTC().Format(dayLayout), first: first, tally: noLines}
}

// name is the file's name inside the app's directory.
func (s segment) name() string {
	if s.closed {
		return fmt.Sprintf("%s-%016x-%d-%d-%d.zst", s.day, s.first, s.count, s.minT, s.maxT)
	}
	return fmt.Sprintf("%s-%016x.log", s.day, s.first)
}

// next is the number of the first line after this segment.
func (s segment) next() uint64 { return s.first + s.count }

// olderThan says whether the day of the segment ended before t.
func (s segment) olderThan(t time.Time) bool {
	day, err := time.Parse(dayLayout, s.day)
	return err == nil && day.AddDate(0, 0, 1).Before(t)
}

// parseSegment reads a file's name; not ok means that the file is not ours.
func parseSegment(name string) (s segment, ok bool) {
	if m := plainName.FindStringSubmatch(name); m != nil {
		s = segment{day: m[1], tally: noLines}
		first, err := strconv.ParseUint(m[2], 16, 64)
		s.first = first
		return s, err == nil
	}
	m := closedName.FindStringSubmatch(name)
	if m == nil {
		return s, false
	}
	s = segment{day: m[1], closed: true}
	errs := make([]error, 4)
	s.first, errs[0] = strconv.ParseUint(m[2], 16, 64)
	s.count, errs[1] = strconv.ParseUint(m[3], 10, 64)
	s.minT, errs[2] = strconv.ParseInt(m[4], 10, 64)
	s.maxT, errs[3] = strconv.ParseInt(m[5], 10, 64)
	return s, !slices.ContainsFunc(errs, func(err error) bool { return err != nil })
}

// listSegments gives an app's segments by their first line. What a kill left
// over is removed: half-written files, and the plain twin of a closed one.
func listSegments(dir string) ([]segment, error) {
	files, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list log segments: %w", err)
	}
	var list []segment
	for _, f := range files {
		if filepath.Ext(f.Name()) == tmpSuffix {
			_ = os.Remove(filepath.Join(dir, f.Name()))
			continue
		}
		s, ok := parseSegment(f.Name())
		info, err := f.Info()
		if !ok || err != nil {
			continue
		}
		s.size = info.Size()
		list = append(list, s)
	}
	slices.SortFunc(list, compareSegments)
	kept := list[:0]
	for _, s := range list {
		if n := len(kept); n > 0 && kept[n-1].first == s.first {
			_ = os.Remove(filepath.Join(dir, s.name()))
			continue
		}
		kept = append(kept, s)
	}
	return kept, nil
}

// compareSegments puts the closed one of two twins first.
func compareSegments(a, b segment) int {
	switch {
	case a.first < b.first:
		return -1
	case a.first > b.first:
		return 1
	case a.closed && !b.closed:
		return -1
	case b.closed && !a.closed:
		return 1
	}
	return 0
}
