package logs

import (
	"fmt"
	"path/filepath"
	"time"

	"aorta/internal/disk"
)

// outage is a time in which the disk of the engine's log files takes no writes. What
// instances print then is lost: the engine has nowhere else to keep it, and does not
// count it.
type outage struct {
	fine time.Time // when the disk took writes last
	dir  string    // of the files while it takes none
	why  string
}

// checkDisk tells each instance that the disk takes no writes, and when it does again.
func (s *Shipper) checkDisk(now time.Time) {
	dir := s.dir()
	if dir == "" {
		return
	}
	err := disk.Accepts(dir)
	if disk.Refused(err) {
		s.outage.begin(dir, err, now, s.addNotes)
	} else {
		s.outage.end(now, s.addNotes)
	}
}

// dir is where the engine has the folders of its containers, "" while none is known.
func (s *Shipper) dir() string {
	for _, f := range s.all() {
		if path := f.path(); path != "" {
			return filepath.Dir(filepath.Dir(path))
		}
	}
	return ""
}

func (s *Shipper) addNotes(text string) {
	for _, f := range s.all() {
		f.addNote(text)
	}
	s.nudge()
}

func (o *outage) begin(dir string, cause error, now time.Time, say func(string)) {
	if o.dir != "" {
		return
	}
	if o.fine.IsZero() {
		o.fine = now
	}
	o.dir, o.why = dir, "takes no writes (dmesg says why)"
	if disk.Full(cause) {
		o.why = fmt.Sprintf("is full (df -h %s, df -i %[1]s)", dir)
	}
	say(fmt.Sprintf("the disk of the engine's log files %s, after %s: from then on lines may be missing", o.why, stampOf(o.fine)))
}

func (o *outage) end(now time.Time, say func(string)) {
	if o.dir != "" {
		say(fmt.Sprintf("the disk of the engine's log files takes writes again: lines may be missing from %s to %s", stampOf(o.fine), stampOf(now)))
	}
	*o = outage{fine: now}
}

func stampOf(at time.Time) string { return at.UTC().Format(time.RFC3339) }
