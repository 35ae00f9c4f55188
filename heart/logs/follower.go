package logs

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"aorta/pacemaker/cluster"
)

// Target is an instance whose output is shipped.
type Target struct {
	ID      cluster.ID
	App     cluster.ID
	Type    string
	Release string
}

// touchInterval is how often the position of an instance that prints nothing is
// named, so that the log store keeps it.
const touchInterval = time.Hour

// maxNotes bounds the lines of the platform that wait for the log store.
const maxNotes = 1000

// follower reads one instance's output.
type follower struct {
	target Target
	o      *Options
	done   chan struct{} // closed when an ended process's output was shipped
	// resting says that the kernel tells when the files change.
	resting atomic.Bool

	// mu guards the rest.
	mu         sync.Mutex
	files      files
	grown      time.Time // when the files were last found to have changed
	start      position  // where to begin, while there is no file
	at         place     // of the next record
	asm        assembler // lines whose end did not come yet
	notes      []cluster.LogText
	lost       loss
	serial     uint64
	last       int64     // time of the last line, Unix nanoseconds
	from       string    // the position that the next part goes on from
	taken      time.Time // when the last part was taken
	usual      int       // lines of the last part
	known      bool      // the log store has said where it is
	draining   bool      // the process has ended: nothing comes after what is there
	ending     bool      // nobody asks any more: gone once all is shipped
	unread     bool      // it was said that the files can't be read
	passedOver bool      // the last batch had no room; used by the shipper's goroutine alone
	earlier    string    // file of the version before, see earlier.go
}

func newFollower(t Target, o *Options) *follower {
	return &follower{target: t, o: o, done: make(chan struct{}), asm: assembler{}, taken: time.Now(), earlier: o.earlierFile(t)}
}

// scan takes in what the engine did to the files, and drops what it removed
// longer ago than is held.
func (f *follower) scan(r *reader, behind string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.files.path == "" {
		return nil
	}
	before := f.files.end()
	err := f.files.scan(f.o.Files)
	if f.files.end() != before {
		f.grown = time.Now()
	}
	if err == nil {
		if f.at.file != nil {
			f.files.release(f.at.file)
		}
		f.drop(r, behind)
		return nil
	}
	if f.unread {
		return nil
	}
	f.unread = true
	f.note(time.Now(), fmt.Sprintf("the output of this instance can't be read: %v", err))
	return err
}

// quiet gives the path of the instance's log file, and whether it has not grown
// for a while and all of it was shipped.
func (f *follower) quiet() (path string, quiet bool) {
	if f.backlog() > 0 {
		return "", false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.files.path, time.Since(f.grown) > restAfter
}

// locate names the instance's log file.
func (f *follower) locate(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files.path = path
}

// note adds a line of the platform. One without a time gets that of the line
// that follows.
func (f *follower) note(at time.Time, text string) {
	if len(f.notes) == maxNotes {
		return
	}
	f.notes = append(f.notes, cluster.LogText{Time: at, Stream: systemStream, Text: text})
}

// part is what was taken from a follower at once.
type part struct {
	cluster.LogPart
	from *follower
	size int // in the engine's files, bytes
}

// readPart reads up to the quota in bytes, more only to end a record. It gives false
// when there is nothing to ship.
func (f *follower) readPart(r *reader, quota int) (part, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := part{from: f, LogPart: cluster.LogPart{
		Instance: f.target.ID, App: f.target.App, Type: f.target.Type, Release: f.target.Release, From: f.from, To: f.from,
	}}
	if !f.known {
		return p, true, nil // without lines, it asks where to begin
	}
	start := f.at
	err := f.fill(r, &p, quota)
	if p.Lines = append(p.Lines, f.flush(time.Now())...); len(p.Lines) > 0 || f.at != start {
		f.serial++
		p.To = f.position().String()
		f.from = p.To
	} else if f.from == "" || time.Since(f.taken) < touchInterval {
		return p, false, err
	}
	f.taken, f.usual = time.Now(), len(p.Lines)
	return p, true, err
}

// fill reads on from file to file.
func (f *follower) fill(r *reader, p *part, quota int) error {
	for p.size < quota && f.begin(r) {
		cur, next := f.at.file, f.files.after(f.at.file)
		ended := next != nil || f.draining || f.ending
		read, err := f.read(r, stretch{from: f.at, until: math.MaxInt64, ended: ended}, quota-p.size, p)
		if err != nil {
			return err
		}
		f.at.offset += read
		p.size += int(read)
		if read > 0 {
			continue
		}
		if next == nil {
			return nil
		}
		f.enter(cur, next)
	}
	return nil
}

// begin goes to where the log store is, once there are files.
func (f *follower) begin(r *reader) bool {
	if f.at.file != nil || len(f.files.held) == 0 {
		return f.at.file != nil
	}
	target := f.files.find(f.start.File)
	switch {
	case target != nil:
		f.at = place{target, f.start.Offset}
		if f.start.Back != nil {
			f.replay(r, *f.start.Back)
		}
		return true
	case f.start.File == "" && f.beginEarlier(r):
		return true
	case f.start.File != "":
		f.missing(fmt.Sprintf("after %s: the engine's log files were gone before they were read", f.lastText()))
	case f.files.full:
		f.missing("before this line: the engine's log files were gone before they were looked for")
	}
	f.at = place{file: f.files.held[0]}
	return true
}

// replay reads the beginnings of lines that had not ended where reading goes on.
// One that is gone by now leaves a line without its beginning.
func (f *follower) replay(r *reader, back spot) {
	p := place{f.files.find(back.File), back.Offset}
	for p.file != nil && p.before(f.at) {
		s := stretch{from: p, until: math.MaxInt64, ended: p.file != f.at.file}
		if !s.ended {
			s.until = f.at.offset
		}
		read, err := r.read(s, math.MaxInt, func(rec record, at place, _ bool) { f.asm.add(rec, at) })
		switch p.offset += read; {
		case err != nil || read == 0 && !s.ended:
			return
		case read == 0:
			p = place{file: f.files.after(p.file)}
		}
	}
}

// read appends the whole lines of a stretch to a part.
func (f *follower) read(r *reader, s stretch, quota int, p *part) (int64, error) {
	if s.from.file.cut {
		return 0, nil
	}
	return r.read(s, quota, func(rec record, at place, damaged bool) {
		if damaged {
			f.note(time.Time{}, "a record of the engine's log file is damaged: lines are missing here, or one lacks its beginning")
		}
		text, whole := f.asm.add(rec, at)
		if !whole {
			return
		}
		if p.Lines == nil {
			p.Lines = make([]cluster.LogText, 0, f.usual)
		}
		p.Lines = append(p.Lines, f.flush(rec.time)...)
		p.Lines = append(p.Lines, cluster.LogText{Time: rec.time, Stream: rec.stream, Text: text})
		f.last = rec.time.UnixNano()
	})
}

// enter goes on to the next file.
func (f *follower) enter(cur, next *file) {
	if cur.cut && cur.size > f.at.offset {
		f.missing(fmt.Sprintf("after %s: the engine's log file was emptied by somebody before it was read", f.lastText()))
	}
	if next.gap {
		f.missing(fmt.Sprintf("after %s: the engine rotated its log files faster than they were looked for", f.lastText()))
	}
	f.at = place{file: next}
	f.files.release(next)
}

// missing notes that lines may be missing, nobody knows how many.
func (f *follower) missing(where string) {
	f.note(time.Time{}, "lines may be missing "+where)
}

func (f *follower) lastText() string {
	if f.last == 0 {
		return "the start"
	}
	return time.Unix(0, f.last).UTC().Format(time.RFC3339Nano)
}

// flush gives the notes, as of the line that follows them.
func (f *follower) flush(at time.Time) []cluster.LogText {
	if len(f.notes) == 0 && f.lost.lines == 0 {
		return nil
	}
	list := f.notes
	f.notes = nil
	if n, ok := f.lost.note(); ok {
		f.lost = loss{}
		list = append([]cluster.LogText{n}, list...)
	}
	for i := range list {
		if list[i].Time.IsZero() {
			list[i].Time = at
		}
	}
	return list
}

func (f *follower) position() position {
	if f.at.file == nil {
		p := f.start
		p.Serial = f.serial
		return p
	}
	p := position{Serial: f.serial, spot: f.at.spot(), Last: f.last}
	if back, ok := f.asm.back(); ok {
		spot := back.spot()
		p.Back = &spot
	}
	return p
}

// accept notes that the log store has a part, or that it has nothing yet, and says
// whether that was what it was asked: then lines may wait for the answer.
func (f *follower) accept(p part) (first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first, f.known = !f.known, true
	f.passEarlier(p.To)
	return first
}

// resume goes on where the log store is, which did not take a part.
func (f *follower) resume(p part, at string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	start, err := parsePosition(at)
	if err != nil {
		err = fmt.Errorf("the log store has the output of %s up to %q, which is no position: all that is kept of it is shipped again", f.target.ID, at)
	}
	f.known, f.from, f.start = true, at, start
	f.at, f.asm = place{}, assembler{}
	f.serial, f.last = max(f.serial, start.Serial), start.Last
	f.passEarlier(at)
	for _, l := range p.Lines {
		if l.Stream == systemStream {
			f.notes = append(f.notes, l)
		}
	}
	return err
}

// backlog is how much there is to ship, in bytes of the engine's files; it is
// more than 0 whenever there is anything to say.
func (f *follower) backlog() (n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.known || len(f.notes) > 0 || f.lost.lines > 0 || f.draining || f.ending || f.from != "" && time.Since(f.taken) > touchInterval {
		n++
	}
	for _, file := range f.files.held {
		switch {
		case f.at.file == nil || file.nth > f.at.file.nth:
			n += file.size
		case file == f.at.file:
			n += file.size - f.at.offset
		}
	}
	return n
}

// end closes done, and says whether nobody asks for the instance any more.
func (f *follower) end() (forgotten bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.done:
	default:
		close(f.done)
	}
	if f.ending {
		f.files.close()
		f.removeEarlier()
	}
	return f.ending
}

// ended says whether what is there is all that will come.
func (f *follower) ended() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.draining || f.ending
}

// path is the instance's log file, "" while it is not known.
func (f *follower) path() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.files.path
}

func (f *follower) addNote(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(time.Now(), text)
}

func (f *follower) drain() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.draining = true
}

func (f *follower) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ending = true
}

func (f *follower) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files.close()
}
