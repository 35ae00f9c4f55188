package procs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"aorta/internal/atomicfile"
)

const recordSuffix = ".pid.json"

// record is what is on disk about a daemon. It is written twice at a start:
// as an intent without a process, and with its identity. It holds all that is
// needed to stop the daemon without its Spec.
type record struct {
	Name        string         `json:"name"`
	Process     identity       `json:"process"`
	Path        string         `json:"path"` // executable, links resolved
	Dir         string         `json:"dir"`
	StopSignal  syscall.Signal `json:"stop_signal"`
	StopTimeout time.Duration  `json:"stop_timeout_ns"`
	StopOrder   int            `json:"stop_order"`
	StartedAt   time.Time      `json:"started_at"` // for people, never compared
}

// errNoRecord: there is no record, or one that can't be used.
var errNoRecord = errors.New("no record")

func recordPath(stateDir, name string) string {
	return filepath.Join(stateDir, name+recordSuffix)
}

// readRecord returns errNoRecord for a missing file, and an error that is also
// errNoRecord but names the defect for a broken one.
func readRecord(stateDir, name string) (record, error) {
	path := recordPath(stateDir, name)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, errNoRecord
	}
	if err != nil {
		return record{}, fmt.Errorf("read record %s: %w", path, err)
	}
	rec, err := parseRecord(b)
	if err == nil && rec.Name != name {
		err = fmt.Errorf("it is about %q", rec.Name)
	}
	if err != nil {
		return record{}, &badRecordError{path: path, cause: err}
	}
	return rec, nil
}

func parseRecord(b []byte) (record, error) {
	var rec record
	if err := json.Unmarshal(b, &rec); err != nil {
		return record{}, err
	}
	switch {
	case !nameRule.MatchString(rec.Name):
		return record{}, fmt.Errorf("bad name %q", rec.Name)
	case rec.Process.Pid < 0 || rec.Process.Pid == 1:
		return record{}, fmt.Errorf("bad process id %d", rec.Process.Pid)
	case !filepath.IsAbs(rec.Dir):
		return record{}, fmt.Errorf("bad data directory %q", rec.Dir)
	case rec.StopSignal <= 0 || rec.StopSignal > 64:
		return record{}, fmt.Errorf("bad stop signal %d", rec.StopSignal)
	case rec.StopTimeout <= 0:
		return record{}, fmt.Errorf("bad stop timeout %d", rec.StopTimeout)
	}
	return rec, nil
}

// badRecordError is a record that exists and can't be used.
type badRecordError struct {
	path  string
	cause error
}

func (e *badRecordError) Error() string {
	return fmt.Sprintf("record %s is broken: %v", e.path, e.cause)
}
func (e *badRecordError) Unwrap() error { return errNoRecord }

// write replaces the record in one step: a reader sees the old or the new one.
func (r record) write(stateDir string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write record of %s: %w", r.Name, err)
	}
	path := recordPath(stateDir, r.Name)
	if err := atomicfile.Write(path, b, 0o600); err != nil {
		return fmt.Errorf("record daemon %s: %w", r.Name, err)
	}
	return nil
}

// recordedNames lists the daemons with a record in the directory; a missing
// directory has none.
func recordedNames(stateDir string) ([]string, error) {
	entries, err := os.ReadDir(stateDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	var names []string
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), recordSuffix)
		if ok && nameRule.MatchString(name) {
			names = append(names, name)
		}
	}
	return names, nil
}
