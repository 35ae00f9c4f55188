package testkit

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// idleLook is how long the machine is watched before it counts as idle: a test that was
// let in has begun to work by then.
const idleLook = 2 * time.Second

// idleShare is the part of the processors' time that nothing has used on a machine that
// has room for one more test, which takes less.
const idleShare = 0.3

// WhileIdle calls lend each time that the machine had processor time to spare for a
// while, until the process ends. What waits for the disk is not idle.
func WhileIdle(lend func()) {
	go func() {
		before := readUsage()
		for range time.Tick(idleLook) {
			now := readUsage()
			if now.idleSince(before) > idleShare {
				lend()
			}
			before = now
		}
	}()
}

// usage is what the processors have done since the machine's boot, in ticks of the kernel.
type usage struct{ idle, all float64 }

// readUsage is of nothing where there is no /proc: such a machine is never idle.
func readUsage() usage {
	text, _ := os.ReadFile("/proc/stat")
	return parseUsage(string(text))
}

// parseUsage reads the first line of /proc/stat: user, nice, system, idle, and so on up
// to what the hypervisor took, behind which stand parts of the first two.
func parseUsage(stat string) usage {
	const idle, stolen = 3, 7
	line, _, _ := strings.Cut(stat, "\n")
	var u usage
	for i, field := range strings.Fields(strings.TrimPrefix(line, "cpu ")) {
		n, err := strconv.ParseFloat(field, 64)
		if err != nil || i > stolen {
			break
		}
		u.all += n
		if i == idle {
			u.idle = n
		}
	}
	return u
}

// idleSince is the part of the time since before in which processors had nothing to do.
func (u usage) idleSince(before usage) float64 {
	if u.all <= before.all {
		return 0
	}
	return (u.idle - before.idle) / (u.all - before.all)
}
