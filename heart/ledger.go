package heart

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
)

// quarantine is how long a released port is not given to another instance: a
// router that was cut off may still send the former one's requests there.
const quarantine = 10 * time.Minute

// ErrPortRefused means that the instance can't have this port now; the pacemaker
// has to assign another one.
var ErrPortRefused = errors.New("port refused")

// ledger records which instance has, or last had, each port of this node.
type ledger struct {
	file     string
	min, max int

	// mu guards ports.
	mu    sync.Mutex
	ports map[int]tenancy
}

type tenancy struct {
	Instance cluster.ID `json:"instance"`
	Released time.Time  `json:"released,omitzero"` // zero while it is held
}

func openLedger(file string, low, high int) (*ledger, error) {
	l := &ledger{file: file, min: low, max: high, ports: map[int]tenancy{}}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the ledger of ports: %w", err)
	}
	if err := json.Unmarshal(data, &l.ports); err != nil {
		return nil, fmt.Errorf("read the ledger of ports %s (remove it when no app was stopped on this node in the last %s): %w", file, duration.Text(quarantine), err)
	}
	now := time.Now()
	for p, t := range l.ports {
		if t.Released.After(now) { // the clock was set back
			t.Released = now
			l.ports[p] = t
		}
	}
	return l, nil
}

// claim assigns the port to the instance, or names the one that has it. Port 0
// means no port.
func (l *ledger) claim(port int, id cluster.ID, now time.Time) error {
	if port == 0 {
		return nil
	}
	if port < l.min || port > l.max {
		return refused("port %d is outside this node's range %d … %d", port, l.min, l.max)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t, known := l.ports[port]
	switch {
	case known && t.Instance == id && t.Released.IsZero():
		return nil
	case known && t.Instance != id && t.Released.IsZero():
		return refused("port %d is held by instance %s on this node", port, t.Instance)
	case known && t.Instance != id && now.Sub(t.Released) < quarantine:
		return refused("port %d was released %s ago by instance %s and is not used again within %s", port, duration.Text(now.Sub(t.Released).Round(time.Second)), t.Instance, duration.Text(quarantine))
	}
	l.ports[port] = tenancy{Instance: id}
	return l.save(now)
}

// release starts the port's quarantine if that instance holds it.
func (l *ledger) release(port int, id cluster.ID, now time.Time) error {
	return l.releaseIf(now, func(p int, t tenancy) bool { return p == port && t.Instance == id })
}

// releaseInstance starts the quarantine of each port that the instance holds.
// It needs no port: that of a stray container is not known.
func (l *ledger) releaseInstance(id cluster.ID, now time.Time) error {
	return l.releaseIf(now, func(_ int, t tenancy) bool { return t.Instance == id })
}

// releaseUnknown starts the quarantine of ports whose instances this heart does
// not have any more, because their records and containers were lost.
func (l *ledger) releaseUnknown(known func(cluster.ID) bool, now time.Time) error {
	return l.releaseIf(now, func(_ int, t tenancy) bool { return !known(t.Instance) })
}

// releaseIf starts the quarantine of all held ports that match.
func (l *ledger) releaseIf(now time.Time, match func(int, tenancy) bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed := false
	for p, t := range l.ports {
		if t.Released.IsZero() && match(p, t) {
			l.ports[p] = tenancy{Instance: t.Instance, Released: now}
			changed = true
		}
	}
	if !changed {
		return nil
	}
	return l.save(now)
}

// save writes the ledger; mu must be held.
func (l *ledger) save(now time.Time) error {
	for p, t := range l.ports {
		if !t.Released.IsZero() && now.Sub(t.Released) > quarantine {
			delete(l.ports, p)
		}
	}
	data, err := json.Marshal(l.ports)
	if err != nil {
		return fmt.Errorf("encode the ledger of ports: %w", err)
	}
	return writeFile(l.file, data)
}

func refused(format string, args ...any) error {
	return &cluster.Error{Code: cluster.CodeConflict, Message: fmt.Sprintf(format, args...), Err: ErrPortRefused}
}
