// Package score measures how busy a node is, from /proc and the disk that the
// engine fills. It measures the machine as a whole; the engine measures single
// instances.
package score

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"aorta/pacemaker/cluster"
)

// Meter measures the load. CPU load is the mean since the previous reading.
type Meter struct {
	proc string
	disk string

	// mu guards last.
	mu   sync.Mutex
	last Ticks
}

// New makes a meter. proc is the mount point of procfs ("/proc"), disk a path on
// the file system that the engine fills.
func New(proc, disk string) *Meter { return &Meter{proc: proc, disk: disk} }

// Read measures now. A value that can't be read counts as idle, and the error
// names it. The score, which takes what instances are promised, is not made here.
func (m *Meter) Read() (cluster.Load, error) {
	var l cluster.Load
	l.CPUs = runtime.NumCPU()
	errs := []error{m.cpu(&l), m.memory(&l), m.average(&l), m.space(&l)}
	for _, err := range errs {
		if err != nil {
			return l, fmt.Errorf("measure the node's load: %w", err)
		}
	}
	return l, nil
}

func (m *Meter) cpu(l *cluster.Load) error {
	data, err := os.ReadFile(filepath.Join(m.proc, "stat"))
	if err != nil {
		return err
	}
	now, err := ParseStat(data)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l.CPU = now.Since(m.last)
	m.last = now
	return nil
}

func (m *Meter) memory(l *cluster.Load) error {
	data, err := os.ReadFile(filepath.Join(m.proc, "meminfo"))
	if err != nil {
		return err
	}
	total, available, err := ParseMeminfo(data)
	l.MemoryTotal, l.MemoryUsed = total, total-available
	return err
}

func (m *Meter) average(l *cluster.Load) error {
	data, err := os.ReadFile(filepath.Join(m.proc, "loadavg"))
	if err != nil {
		return err
	}
	l.LoadAverage, err = ParseLoadavg(data)
	return err
}

func (m *Meter) space(l *cluster.Load) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(m.disk, &fs); err != nil {
		return fmt.Errorf("read the disk usage of %s: %w", m.disk, err)
	}
	l.DiskFree = int64(fs.Bavail) * fs.Bsize
	// Blocks kept for root are neither used nor free for an engine that fills up.
	if usable := fs.Blocks - fs.Bfree + fs.Bavail; usable > 0 {
		l.DiskUsed = float64(fs.Blocks-fs.Bfree) / float64(usable)
	}
	return nil
}

// Ticks are the kernel's counters of CPU time since boot, over all cores.
type Ticks struct{ Total, Idle uint64 }

// Since is the share of busy time since an earlier reading, 0 to 1. With a zero
// reading it is the share since boot.
func (t Ticks) Since(before Ticks) float64 {
	if t.Total <= before.Total || t.Idle < before.Idle {
		return 0
	}
	total, idle := t.Total-before.Total, t.Idle-before.Idle
	return 1 - float64(min(idle, total))/float64(total)
}

// ParseStat reads the first line of /proc/stat.
func ParseStat(data []byte) (Ticks, error) {
	line, _, _ := bytes.Cut(data, []byte{'\n'})
	fields := bytes.Fields(line)
	if len(fields) < 6 || string(fields[0]) != "cpu" {
		return Ticks{}, fmt.Errorf("/proc/stat does not begin with the cpu line: %.60q", line)
	}
	var t Ticks
	// Guest time, from the ninth field on, is part of user time already.
	for i, f := range fields[1:min(len(fields), 9)] {
		n, err := strconv.ParseUint(string(f), 10, 63)
		if err != nil {
			return Ticks{}, fmt.Errorf("/proc/stat: %w", err)
		}
		t.Total += n
		if i == 3 || i == 4 { // idle, waiting for disks
			t.Idle += n
		}
	}
	return t, nil
}

// ParseMeminfo reads total and available memory from /proc/meminfo, in bytes.
func ParseMeminfo(data []byte) (total, available int64, err error) {
	found := map[string]int64{}
	for line := range bytes.Lines(data) {
		fields := bytes.Fields(line)
		if len(fields) != 3 || string(fields[2]) != "kB" {
			continue
		}
		n, err := strconv.ParseInt(string(fields[1]), 10, 53)
		if err != nil {
			return 0, 0, fmt.Errorf("/proc/meminfo: %w", err)
		}
		found[string(fields[0])] = n << 10
	}
	total, available = found["MemTotal:"], found["MemAvailable:"]
	if total <= 0 || available < 0 || available > total {
		return 0, 0, fmt.Errorf("/proc/meminfo: %d bytes available of %d", available, total)
	}
	return total, available, nil
}

// ParseLoadavg reads the load over one minute from /proc/loadavg.
func ParseLoadavg(data []byte) (float64, error) {
	fields := bytes.Fields(data)
	if len(fields) == 0 {
		return 0, fmt.Errorf("/proc/loadavg is empty")
	}
	n, err := strconv.ParseFloat(string(fields[0]), 64)
	if err != nil || !(n >= 0 && n < 1e9) {
		return 0, fmt.Errorf("/proc/loadavg: %.20q is not a load", fields[0])
	}
	return n, nil
}
