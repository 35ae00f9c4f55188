package heart

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"aorta/heart/docker"
	"aorta/internal/atomicfile"
	"aorta/pacemaker/cluster"
)

// record is all that a heart remembers of an instance, on disk after each
// change that matters. With the container's own state it tells what to do next.
type record struct {
	Spec      cluster.InstanceSpec  `json:"spec"`
	Stray     bool                  `json:"stray,omitempty"` // its spec is not known: a container was found without a record
	State     cluster.InstanceState `json:"state"`
	Healthy   bool                  `json:"healthy,omitempty"` // was so once: from then on it is restarted in place
	Crashing  bool                  `json:"crashing,omitempty"`
	Restarts  int                   `json:"restarts,omitempty"`
	Error     string                `json:"error,omitempty"`
	Tail      []string              `json:"tail,omitempty"` // last lines before it failed
	Gone      bool                  `json:"gone,omitempty"`
	StartedAt *time.Time            `json:"started_at,omitempty"`

	StopAsked bool      `json:"stop_asked,omitempty"`
	TermAt    time.Time `json:"term_at,omitzero"` // when SIGTERM was sent

	HealthySince time.Time     `json:"healthy_since,omitzero"`
	Backoff      time.Duration `json:"backoff,omitempty"`   // before the last restart
	NextStart    time.Time     `json:"next_start,omitzero"` // set while a crashed process waits
	Starts       []time.Time   `json:"starts,omitempty"`    // of the last startWindow
}

func newRecord(s cluster.InstanceSpec) record {
	return record{Spec: s, State: cluster.InstanceAssigned}
}

// strayRecord is what a container's labels tell of its instance.
func strayRecord(c docker.Container) record {
	return record{Stray: true, State: cluster.InstanceRunning, Spec: cluster.InstanceSpec{
		ID: c.Instance, AppID: cluster.ID(c.Labels[cluster.LabelAppID]), App: c.Labels[cluster.LabelApp],
		Release: c.Labels[cluster.LabelRelease], Type: c.Labels[cluster.LabelProcess], Node: c.Labels[cluster.LabelNode],
	}}
}

// goneRecord tells the pacemaker that nothing of an instance is here.
func goneRecord(id cluster.ID) record {
	return record{Spec: cluster.InstanceSpec{ID: id}, State: cluster.InstanceStopped, Gone: true}
}

func (r record) status() cluster.InstanceStatus {
	return cluster.InstanceStatus{
		ID: r.Spec.ID, State: r.State, Crashing: r.Crashing, Restarts: r.Restarts, Error: r.Error,
		Port: r.Spec.Port, StartedAt: r.StartedAt, Gone: r.Gone,
	}
}

// mend brings times that a changed clock put into the future back to now.
func (r *record) mend(now time.Time) {
	if r.TermAt.After(now) {
		r.TermAt = now
	}
	if r.NextStart.After(now.Add(backoffMax)) {
		r.NextStart = now
	}
	if r.HealthySince.After(now) {
		r.HealthySince = now
	}
}

// shelf keeps records, one 0600 file each: they hold config vars.
type shelf struct{ dir string }

func openShelf(dir string) (shelf, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return shelf{}, fmt.Errorf("make the directory of instances: %w", err)
	}
	return shelf{dir: dir}, nil
}

func (s shelf) file(id cluster.ID) string { return filepath.Join(s.dir, string(id)+".json") }

func (s shelf) save(r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode instance %s: %w", r.Spec.ID, err)
	}
	return writeFile(s.file(r.Spec.ID), data)
}

func (s shelf) drop(id cluster.ID) error {
	if err := os.Remove(s.file(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget instance %s: %w", id, err)
	}
	return nil
}

// load reads all records. One that can't be read is named and left alone: its
// container is found by its labels.
func (s shelf) load(log *slog.Logger) ([]record, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("read the recorded instances: %w", err)
	}
	var list []record
	for _, e := range entries {
		name, isRecord := strings.CutSuffix(e.Name(), ".json")
		if !isRecord {
			continue
		}
		data, err := os.ReadFile(filepath.Join(s.dir, e.Name()))
		var r record
		if err == nil {
			err = json.Unmarshal(data, &r)
		}
		if err != nil || string(r.Spec.ID) != name {
			log.Error("a recorded instance is unreadable; its container is adopted by its labels", "file", filepath.Join(s.dir, e.Name()), "err", err)
			continue
		}
		r.mend(time.Now())
		list = append(list, r)
	}
	return list, nil
}

// writeFile replaces a file as a whole or not at all, also when the machine
// stops in the middle.
func writeFile(path string, data []byte) error {
	if err := atomicfile.Write(path, data, 0o600); err != nil {
		return writeError(path, err)
	}
	return nil
}

// writeError says how much room there is when there was too little.
func writeError(path string, err error) error {
	if !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("write %s: %w", path, err)
	}
	var fs syscall.Statfs_t
	free := int64(0)
	if syscall.Statfs(filepath.Dir(path), &fs) == nil {
		free = int64(fs.Bavail) * fs.Bsize
	}
	return &cluster.Error{
		Code: cluster.CodeUnavailable, Err: err,
		Message: fmt.Sprintf("the disk is full: %s could not be written (%d bytes free); free space there", path, free),
	}
}
