package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"aorta/internal/pause"
	"aorta/internal/procs"
)

// Options say what a lab is made of.
type Options struct {
	Dir    string // where all of it lies; a new or empty directory
	Tree   string // the repository: its scripts know how make up starts a daemon
	Daemon string // the program aortad
	Client string // the program aorta
	Hosts  []Spec // n1, n2, …; the first has the pacemaker, unless none has a daemon
	Memory int64  // bytes that each host may use; 0: 2 GiB
	Bare   bool   // networks alone, without engines and daemons
	Env    []string
	First  func(context.Context, *Lab) error // done when the first host is ready, before others join; may be nil
	Guard  []string                          // argv before DIR and PID of who takes the lab away when this process has ended
	Say    io.Writer                         // progress, a line each; nil: nowhere
}

// Spec is one host.
type Spec struct {
	Roles []string `json:"roles"`           // none: it has an engine, and no daemon yet
	Flags []string `json:"flags,omitempty"` // of its daemon, beside those of make up
	// EngineFlags are of its Docker engine, beside those that all have.
	EngineFlags []string `json:"engine_flags,omitempty"`
	// Daemon is the program aortad where it is another one than the lab's. What runs is
	// known by it.
	Daemon string `json:"daemon,omitempty"`
}

// Specs are n hosts as they are when nothing else is said.
func Specs(n int) []Spec {
	specs := make([]Spec, n)
	for i := range specs {
		specs[i].Roles = []string{"heart", "router"}
	}
	if n > 0 {
		specs[0].Roles = []string{"pacemaker", "heart", "router", "builder"}
	}
	return specs
}

const (
	defaultMemory = 2 << 30
	maxHosts      = 99
)

// Lab is one lab.
type Lab struct {
	Dir     string
	Hosts   []*Host
	Clients *Room // where those stand who ask for apps
	Switch  *Room // whose ports are called as what is on them, and see all that is sent

	rec record
	say io.Writer
}

// Open finds the lab in a directory: ErrNone when there is none.
func Open(dir string, say io.Writer) (*Lab, error) {
	rec, err := readRecord(dir)
	if err != nil {
		return nil, err
	}
	return rec.lab(say), nil
}

func (r record) lab(say io.Writer) *Lab {
	l := &Lab{Dir: r.Dir, rec: r, say: say}
	if say == nil {
		l.say = io.Discard
	}
	l.Switch = l.room("switch")
	l.Clients = l.room("client")
	for i, spec := range r.Hosts {
		room := l.room(fmt.Sprintf("n%d", i+1))
		l.Hosts = append(l.Hosts, &Host{Room: room, Spec: spec, lab: l, place: i + 1})
	}
	return l
}

func (l *Lab) room(name string) *Room {
	return &Room{Name: name, pin: filepath.Join(l.runDir(), "net", name), group: l.group() + group("/"+name)}
}

// name is that of what lies outside of the lab's directory.
func (l *Lab) name() string { return "aorta-lab-" + l.rec.ID }

func (l *Lab) group() group { return group(l.name()) }

// runDir has what a machine loses with its power: sockets, process ids, namespaces.
func (l *Lab) runDir() string { return filepath.Join("/run", l.name()) }

// Host gives the host of a name.
func (l *Lab) Host(name string) (*Host, error) {
	for _, h := range l.Hosts {
		if h.Name == name {
			return h, nil
		}
	}
	return nil, fmt.Errorf("there is no host %q: they are n1 … n%d", name, len(l.Hosts))
}

// Room gives that of a host, or the clients'.
func (l *Lab) Room(name string) (*Room, error) {
	if name == l.Clients.Name {
		return l.Clients, nil
	}
	h, err := l.Host(name)
	if err != nil {
		return nil, fmt.Errorf("%w; clients are in %q", err, l.Clients.Name)
	}
	return h.Room, nil
}

// Pacemaker is the host that has it.
func (l *Lab) Pacemaker() *Host { return l.Hosts[0] }

// Env is the environment of who uses the cluster: the client is logged in.
func (l *Lab) Env() []string {
	return []string{"AORTA_CONFIG=" + filepath.Join(l.Dir, "client", "config.json"), "PATH=" + filepath.Dir(l.rec.Client) + ":" + os.Getenv("PATH")}
}

// Aorta runs the client beside the pacemaker, and gives what it prints.
func (l *Lab) Aorta(ctx context.Context, args ...string) ([]byte, error) {
	return l.client(ctx, nil, args...)
}

// client is Aorta with something to read.
func (l *Lab) client(ctx context.Context, in io.Reader, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, l.rec.Client, args...)
	var out, said bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(os.Environ(), l.Env()...), in, &out, &said
	if err := l.Pacemaker().Run(cmd); err != nil {
		return nil, fmt.Errorf("aorta %s: %w: %s", args[0], err, strings.TrimSpace(said.String()))
	}
	return out.Bytes(), nil
}

// lock takes the lab for one change, after those that others are making, and gives
// what is known of it by then: ErrNone when it is gone.
func (l *Lab) lock(ctx context.Context) (now record, unlock func(), err error) {
	for {
		unlock, err := procs.LockDir(l.Dir)
		var held *procs.LockedError
		if err == nil {
			now, err := l.locked(unlock)
			return now, unlock, err
		}
		if !errors.As(err, &held) {
			return now, nil, err
		}
		if !pause.For(ctx, 20*time.Millisecond) {
			return now, nil, fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// locked reads the record under the lock, which it gives back when there is none.
func (l *Lab) locked(unlock func()) (record, error) {
	now, err := readRecord(l.Dir)
	if err == nil {
		return now, nil
	}
	if errors.Is(err, ErrNone) {
		err = errors.Join(err, l.clear()) // the lock has made the directory again
	}
	unlock()
	return now, err
}
