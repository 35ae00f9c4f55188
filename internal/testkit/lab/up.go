package lab

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"aorta/internal/pause"
)

// Up makes a lab and waits until all of its nodes are ready. What fails leaves nothing.
func Up(ctx context.Context, o Options) (*Lab, error) {
	l, err := plan(o)
	if err != nil {
		return nil, err
	}
	if err := l.begin(ctx, o); err != nil {
		// detached: bounded, and wanted all the more when ctx has ended
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), downTimeout)
		defer cancel()
		return nil, errors.Join(err, l.Down(ctx))
	}
	return l, nil
}

// plan records a lab before anything of it is made.
func plan(o Options) (*Lab, error) {
	if os.Getuid() != 0 {
		return nil, errors.New("a lab makes networks and engines, which needs root: run this as root")
	}
	if len(o.Hosts) == 0 || len(o.Hosts) > maxHosts {
		return nil, fmt.Errorf("a lab of %d hosts can't be made: 1 … %d", len(o.Hosts), maxHosts)
	}
	if !slices.Contains(o.Hosts[0].Roles, "pacemaker") && nodes(o.Hosts) > 0 {
		return nil, errors.New("the first host has to have the pacemaker")
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a lab: %w", err)
	}
	r := record{Memory: cmp.Or(o.Memory, defaultMemory), Bare: o.Bare, Env: o.Env, Hosts: o.Hosts}
	for _, p := range []struct {
		to   *string
		from string
	}{{&r.Dir, o.Dir}, {&r.Tree, o.Tree}, {&r.Daemon, o.Daemon}, {&r.Client, o.Client}} {
		path, err := place(p.from)
		if err != nil {
			return nil, fmt.Errorf("make a lab: %w", err)
		}
		*p.to = path
	}
	r.ID = idOf(r.Dir)
	if err := r.free(); err != nil {
		return nil, err
	}
	return r.lab(o.Say), r.write()
}

// nodes counts the hosts with a daemon.
func nodes(hosts []Spec) (n int) {
	for _, h := range hosts {
		n += min(1, len(h.Roles))
	}
	return n
}

// free refuses a directory with a lab, or with anything else in it.
func (r record) free() error {
	if _, err := os.Stat(recordFile(r.Dir)); err == nil {
		return fmt.Errorf("there is a lab in %s already: take it away first (scripts/lab down)", r.Dir)
	}
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		return fmt.Errorf("make a lab: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s holds something that is no lab: name a new or empty directory", r.Dir)
	}
	return nil
}

// begin makes what is recorded.
func (l *Lab) begin(ctx context.Context, o Options) error {
	_, unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.guard(o.Guard, os.Getpid()); err != nil {
		return err
	}
	for _, room := range []*Room{l.Clients, l.Switch} {
		if err := room.group.make(l.rec.Memory); err != nil {
			return err
		}
	}
	if err := l.raiseSwitch(ctx); err != nil {
		return err
	}
	if err := l.plug(ctx, l.Clients, clientPlace); err != nil {
		return err
	}
	hosts := boot{Lab: l, first: o.First, ready: make(chan struct{}), began: time.Now()}
	if err := hosts.run(ctx); err != nil || l.rec.Bare || nodes(o.Hosts) == 0 {
		return err
	}
	return l.awaitNodes(ctx)
}

// guard starts who takes the lab away when a process has ended, however it ends.
func (l *Lab) guard(argv []string, pid int) error {
	if len(argv) == 0 {
		return nil
	}
	cmd := exec.Command(argv[0], append(argv[1:len(argv):len(argv)], l.Dir, strconv.Itoa(pid))...)
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the guard of the lab: %w", err)
	}
	go func() { _ = cmd.Wait() }() // ends with the guard
	return nil
}

// boot is the start of all hosts.
type boot struct {
	*Lab
	first func(context.Context, *Lab) error
	ready chan struct{} // closed when others may join
	began time.Time
}

// run starts the hosts side by side. Engines start at once; the daemons of the
// others begin when the first one's is ready.
func (b boot) run(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, h := range b.Hosts {
		all.Go(func() error {
			if err := h.powerOn(ctx); err != nil || b.rec.Bare {
				return err
			}
			b.tell(h, "engine answers")
			switch {
			case len(h.Roles) == 0:
				return nil
			case h == b.Pacemaker():
				return b.open(ctx, h)
			}
			return b.follow(ctx, h)
		})
	}
	return all.Wait()
}

func (b boot) open(ctx context.Context, h *Host) error {
	if err := h.StartDaemon(ctx); err != nil {
		return err
	}
	b.tell(h, "aortad is ready")
	if b.first != nil {
		if err := b.first(ctx, b.Lab); err != nil {
			return err
		}
	}
	close(b.ready)
	return nil
}

func (b boot) follow(ctx context.Context, h *Host) error {
	select {
	case <-b.ready:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := h.StartDaemon(ctx); err != nil {
		return err
	}
	b.tell(h, "aortad is ready")
	return nil
}

func (b boot) tell(h *Host, what string) {
	fmt.Fprintf(b.say, "lab: %s: %s after %.1f s\n", h.Name, what, time.Since(b.began).Seconds())
}

// awaitNodes waits until the cluster says that all nodes are ready.
func (l *Lab) awaitNodes(ctx context.Context) error {
	want := nodes(l.rec.Hosts)
	return until(ctx, fmt.Sprintf("%d nodes to be ready", want), func() (bool, error) {
		out, err := l.Aorta(ctx, "nodes", "--json")
		if err != nil {
			return false, err
		}
		var nodes []struct{ State string }
		if err := json.Unmarshal(out, &nodes); err != nil {
			return false, fmt.Errorf("read what aorta nodes says: %w", err)
		}
		n := 0
		for _, node := range nodes {
			if node.State == "ready" {
				n++
			}
		}
		return n == want, nil
	})
}

// until asks again until it is so.
func until(ctx context.Context, what string, so func() (bool, error)) error {
	for {
		done, err := so()
		if done || err != nil {
			return err
		}
		if !pause.For(ctx, 10*time.Millisecond) {
			return fmt.Errorf("wait for %s: %w", what, context.Cause(ctx))
		}
	}
}
