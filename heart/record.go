package heart

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"aorta/heart/docker"
	"aorta/internal/atomicfile"
	"aorta/internal/disk"
	"aorta/pacemaker/cluster"
)

// record is what a heart stores of an instance, written to disk with each
// change. Together with the container's state it determines the next step.
type record struct {
	Spec      cluster.InstanceSpec
	Stray     bool // a container without a record; its spec is unknown
	State     cluster.InstanceState
	Healthy   bool // was healthy once; from then on it is restarted in place
	Crashing  bool
	Restarts  int
	Error     string
	Tail      []string // last lines before it failed
	Gone      bool
	StartedAt *time.Time
	Process   process // the last one that was seen

	ImageGone bool   // its image was built here and is not on the engine: it waits for a start after another build
	WhyGone   string // what the registry says of that, in brackets
	Rebuilt   bool   // that start has come

	// TakenDown: it was ended by something else, see cluster.TakenDown, and is to be
	// started again.
	TakenDown bool
	Session   string // of the engine, when it was started last; see docker.Engine.Session

	StopAsked bool
	Remake    bool      // its container is to end, and another one to take its place
	TermAt    time.Time // when SIGTERM was sent

	HealthySince time.Time
	Backoff      time.Duration // before the last restart
	NextStart    time.Time     // set while a crashed process waits
	Starts       []time.Time   // within the last startWindow
}

func newRecord(s cluster.InstanceSpec) record {
	return record{Spec: s, State: cluster.InstanceAssigned}
}

// strayRecord is the record of a container without one, from its labels.
func strayRecord(c docker.Container) record {
	return record{Stray: true, State: cluster.InstanceRunning, Spec: cluster.InstanceSpec{
		ID: c.Instance, AppID: cluster.ID(c.Labels[cluster.LabelAppID]), App: c.Labels[cluster.LabelApp],
		Release: c.Labels[cluster.LabelRelease], Type: c.Labels[cluster.LabelProcess], Node: c.Labels[cluster.LabelNode],
	}}
}

// goneRecord reports to the pacemaker that nothing of an instance is here.
func goneRecord(id cluster.ID) record {
	return record{Spec: cluster.InstanceSpec{ID: id}, State: cluster.InstanceStopped, Gone: true}
}

func (r record) status() cluster.InstanceStatus {
	return cluster.InstanceStatus{
		ID: r.Spec.ID, State: r.State, Crashing: r.Crashing, Restarts: r.Restarts, Error: r.Error,
		Port: r.Spec.Port, StartedAt: r.StartedAt, Gone: r.Gone,
	}
}

// takeDown notes that it is to be started again, for what it has not done itself.
func (r *record) takeDown(cause string, now time.Time) {
	r.TakenDown, r.Crashing, r.Error, r.NextStart, r.HealthySince = true, true, cause, now, time.Time{}
}

// startError is the error of a start that failed: after what it is started for, if
// that was not its own doing.
func (r record) startError(err error) string {
	for _, cause := range cluster.TakenDown {
		if r.TakenDown && strings.HasPrefix(r.Error, cause) {
			return cause + "; " + err.Error()
		}
	}
	return err.Error()
}

// mend sets times that lie in the future, after the clock was set back, to now.
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

// writeFile replaces a file atomically, even if the machine loses power. Somebody may
// have removed its directory.
func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return disk.Explain(filepath.Dir(path), err)
	}
	return disk.Explain(filepath.Dir(path), atomicfile.Write(path, data, 0o600))
}
