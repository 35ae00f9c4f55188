// Package cutoff ends containers on a node that does not reach the pacemaker any more,
// also where the daemon is dead, stands still or waits for a hung engine.
//
// A node's directory holds when the pacemaker was reached last (Guard, written by the
// heart) and which containers are held to that. A process of its own (Watch), which
// outlives the daemon, reads both, and kills the processes of those containers when the
// time is over: it asks no engine. It is not for who is to run: that is the heart's.
package cutoff

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Contact is when a node reached the pacemaker last, and what follows from that.
type Contact struct {
	// Sent is when the last report that was answered was sent, on the clock of Now. The
	// pacemaker counts the node's silence from that moment or from a later one.
	Sent time.Duration
	// After is the silence after which the pacemaker takes the containers for ended.
	After time.Duration
}

// longestMargin is how long before the end of After a container is asked to end at most.
const longestMargin = 5 * time.Second

func (c Contact) margin() time.Duration { return min(longestMargin, c.After/3) }

// StopAt is when containers are asked to end; 0, which is past, without a contact.
func (c Contact) StopAt() time.Duration { return c.Sent + c.After - c.margin() }

// KillAt is when they are killed: a fifth of the margin is left for that.
func (c Contact) KillAt() time.Duration { return c.Sent + c.After - c.margin()/5 }

// Now is the time since the machine's boot, with the time that it slept. Nobody sets it.
func Now() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic(fmt.Sprintf("read the time since boot: %v", err)) // every kernel that runs containers has it
	}
	return time.Duration(ts.Nano())
}

// contactSize is that of the file, in bytes. It is written in place, always as a whole, so
// that a full disk does not keep it from being written.
const contactSize = 128

var errTorn = errors.New("it is not whole")

func contactFile(dir string) string { return filepath.Join(dir, "contact") }

// encode is the contact as the file has it: of which boot it is, and a sum by which who
// reads while it is written knows.
func (c Contact) encode(boot string) []byte {
	text := fmt.Sprintf("%s %d %d", boot, c.Sent, c.After)
	return fmt.Appendf(nil, "%-*s\n", contactSize-1, fmt.Sprintf("%s %08x", text, crc32.ChecksumIEEE([]byte(text))))
}

// decode gives none, and no error, for a contact of another boot.
func decode(data []byte, boot string) (Contact, error) {
	text := strings.TrimSpace(string(data))
	last := strings.LastIndexByte(text, ' ')
	if last < 0 || text[last+1:] != fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(text[:last]))) {
		return Contact{}, errTorn
	}
	var of string
	var c Contact
	if _, err := fmt.Sscan(text[:last], &of, (*int64)(&c.Sent), (*int64)(&c.After)); err != nil {
		return Contact{}, errTorn
	}
	if of != boot {
		return Contact{}, nil
	}
	return c, nil
}

// readContact is the one in a directory's file; none where there is no file.
func readContact(dir, boot string) (Contact, error) {
	data, err := os.ReadFile(contactFile(dir))
	if errors.Is(err, os.ErrNotExist) {
		return Contact{}, nil
	}
	if err != nil {
		return Contact{}, err
	}
	return decode(data, boot)
}

// bootID names this boot of the machine.
func bootID() (string, error) {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read which boot this is: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}
