package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"aorta/internal/atomicfile"
	"aorta/pacemaker/cluster"
)

// lease is what shows the pacemaker that this data directory is the node, and no copy.
type lease struct {
	path string
	home string // of this directory

	mu     sync.Mutex // guards the rest
	kept   keptLease
	copied bool // the directory is a copy of one whose daemon was at work
	held   bool // it was given to this process
}

// keptLease is the lease on the disk.
type keptLease struct {
	Node  cluster.ID    `json:"node"`
	Lease cluster.Lease `json:"lease"`
	// Home is the directory that it was given to. Copied files are in another one.
	Home string `json:"home,omitempty"`
	// Ended says that the daemon ended in order: a copy that is made then moves the
	// node, and the pacemaker sees which of the two comes first.
	Ended bool `json:"ended,omitempty"`
}

// holdLease opens the node's lease, until the daemon ends.
func (d *daemon) holdLease(node cluster.ID) (*lease, error) {
	l, err := d.openLease(node)
	if err != nil {
		return nil, err
	}
	d.onClose(func() {
		if err := l.end(); err != nil {
			d.log.Warn("a copy of this data directory will not be taken for this node", "err", err)
		}
	})
	return l, nil
}

// openLease reads the node's lease. From here on a copy of the directory is one of a
// daemon at work.
func (d *daemon) openLease(node cluster.ID) (*lease, error) {
	home, err := homeOf(d.cfg.DataDir)
	if err != nil {
		return nil, err
	}
	l := &lease{path: d.path("node", "lease.json"), home: home}
	raw, err := os.ReadFile(l.path)
	if err == nil {
		err = json.Unmarshal(raw, &l.kept)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the node's lease in %s: %w", l.path, err)
	}
	if l.kept.Node != node {
		l.kept = keptLease{Node: node, Lease: cluster.NoLease}
		return l, nil
	}
	l.copied = !l.kept.Ended && home != "" && l.kept.Home != "" && l.kept.Home != home
	if l.copied {
		return l, nil
	}
	return l, l.write(l.kept.Lease, false)
}

// homeOf tells a directory from its copies, by when it was made; "" where the file
// system does not know. Moved within its file system it stays the same.
func homeOf(dir string) (string, error) {
	var s unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, dir, 0, unix.STATX_BTIME, &s); err != nil {
		return "", fmt.Errorf("look at the data directory: %w", err)
	}
	if s.Mask&unix.STATX_BTIME == 0 {
		return "", nil
	}
	return strconv.FormatInt(s.Btime.Sec*1e9+int64(s.Btime.Nsec), 10), nil
}

// write keeps a lease for this directory, on the disk when it returns.
func (l *lease) write(value cluster.Lease, ended bool) error {
	next := keptLease{Node: l.kept.Node, Lease: value, Home: l.home, Ended: ended}
	raw, err := json.Marshal(next)
	if err == nil {
		err = atomicfile.Write(l.path, raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the node's lease: %w", err)
	}
	l.kept = next
	return nil
}

// present adds the lease to a hello.
func (l *lease) present(h cluster.Hello) cluster.Hello {
	l.mu.Lock()
	defer l.mu.Unlock()
	h.Lease, h.Copied = l.kept.Lease, l.copied
	return h
}

// take keeps the lease that a hello was answered with.
func (l *lease) take(value cluster.Lease) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if value == "" || value == l.kept.Lease {
		return nil
	}
	if err := l.write(value, false); err != nil {
		return err
	}
	l.copied, l.held = false, true
	return nil
}

// isCopy tells whether the directory may be another machine's.
func (l *lease) isCopy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.copied
}

// end lets the directory be moved to another disk.
func (l *lease) end() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.held {
		return nil
	}
	return l.write(l.kept.Lease, true)
}

// Hello is part of the pacemaker's API. Each session has its own lease, which is on
// the disk before anything else happens.
func (n *neighbours) Hello(ctx context.Context, h cluster.Hello) (cluster.Welcome, error) {
	w, err := n.Node.Hello(ctx, n.lease.present(h))
	if err == nil {
		err = n.lease.take(w.Lease)
	}
	return w, err
}
