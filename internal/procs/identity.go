package procs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// identity tells one process from every other, also from a later one that got
// the same number.
type identity struct {
	Pid       int    `json:"pid"`        // 0: not started yet
	StartTime uint64 `json:"start_time"` // clock ticks since boot, field 22 of stat
	BootID    string `json:"boot_id"`
	Exe       string `json:"exe"` // what /proc/PID/exe named at the start
}

// errNoProcess: the process is gone, is going, or is a zombie waiting to be
// reaped.
var errNoProcess = errors.New("no such process")

// readIdentity reads the identity of a living process.
func readIdentity(pid int) (identity, error) {
	st, err := readStat(pid)
	if err != nil {
		return identity{}, err
	}
	exe, err := os.Readlink(procPath(pid, "exe"))
	if errors.Is(err, fs.ErrNotExist) {
		// It has released its memory and is not a zombie yet.
		return identity{}, fmt.Errorf("read executable of process %d: %w", pid, errNoProcess)
	}
	if err != nil {
		return identity{}, fmt.Errorf("read executable of process %d: %w", pid, err)
	}
	boot, err := bootID()
	if err != nil {
		return identity{}, err
	}
	return identity{Pid: pid, StartTime: st.startTime, BootID: boot, Exe: exe}, nil
}

// mismatch says in which part the living process differs from the recorded
// one, or returns "".
func (i identity) mismatch(now identity) string {
	switch {
	case i.Pid != now.Pid:
		return "process id"
	case i.BootID != now.BootID:
		return "boot id"
	case i.StartTime != now.StartTime:
		return "start time"
	case !sameExe(i.Exe, now.Exe):
		return "executable"
	}
	return ""
}

// sameExe tolerates that a package upgrade replaced the file while the old one
// runs on.
func sameExe(a, b string) bool {
	const deleted = " (deleted)"
	return strings.TrimSuffix(a, deleted) == strings.TrimSuffix(b, deleted)
}

// stat is what is needed of /proc/PID/stat.
type stat struct {
	state     byte
	session   int
	startTime uint64
}

func readStat(pid int) (stat, error) {
	b, err := os.ReadFile(procPath(pid, "stat"))
	if err != nil {
		return stat{}, fmt.Errorf("read state of process %d: %w", pid, errNoProcess)
	}
	st, err := parseStat(b)
	if err != nil {
		return stat{}, fmt.Errorf("read state of process %d: %w", pid, err)
	}
	if st.state == 'Z' || st.state == 'X' {
		return stat{}, fmt.Errorf("process %d has ended: %w", pid, errNoProcess)
	}
	return st, nil
}

// parseStat counts fields from the last bracket, because the command name
// before it may hold blanks and brackets.
func parseStat(b []byte) (stat, error) {
	const stateField, sessionField, startField = 0, 3, 19
	end := bytes.LastIndexByte(b, ')')
	if end < 0 {
		return stat{}, errors.New("stat line without a command name")
	}
	fields := strings.Fields(string(b[end+1:]))
	if len(fields) <= startField {
		return stat{}, fmt.Errorf("stat line with only %d fields", len(fields))
	}
	session, err := strconv.Atoi(fields[sessionField])
	if err != nil {
		return stat{}, fmt.Errorf("parse session: %w", err)
	}
	start, err := strconv.ParseUint(fields[startField], 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("parse start time: %w", err)
	}
	return stat{state: fields[stateField][0], session: session, startTime: start}, nil
}

func bootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read boot id: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

func procPath(pid int, parts ...string) string {
	return filepath.Join(append([]string{"/proc", strconv.Itoa(pid)}, parts...)...)
}
