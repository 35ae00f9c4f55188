package heart

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
)

// quarantine is how long a port is not used again after its release: a router
// that was cut off may still send requests for its former owner there.
const quarantine = 10 * time.Minute

// ErrPortRefused is a port that this node can't give to that instance now; the
// pacemaker has to allot another one.
var ErrPortRefused = errors.New("port refused")

// ledger remembers who had which port of this node.
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
		return nil, fmt.Errorf("read the ledger of ports %s (remove it when no app was stopped on this node in the last %s): %w", file, quarantine, err)
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

// claim gives the port to the instance, or says who has it. Port 0 is none.
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
		return refused("port %d was released %s ago by instance %s and is not used again before %s", port, now.Sub(t.Released).Round(time.Second), t.Instance, quarantine)
	}
	l.ports[port] = tenancy{Instance: id}
	return l.save(now)
}

// release begins the port's quarantine, when that instance holds it.
func (l *ledger) release(port int, id cluster.ID, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, known := l.ports[port]
	if !known || t.Instance != id || !t.Released.IsZero() {
		return nil
	}
	l.ports[port] = tenancy{Instance: id, Released: now}
	return l.save(now)
}

// save is called with mu held.
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
