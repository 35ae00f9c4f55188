package lab

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// unmountBelow unmounts all below a directory, the last first.
func unmountBelow(dir string) error {
	points, err := mountsBelow(dir)
	if err != nil {
		return err
	}
	for _, point := range slices.Backward(points) {
		if err := unix.Unmount(point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return fmt.Errorf("unmount %s: %w", point, err)
		}
	}
	return nil
}

// mountsBelow are the places below a directory where something is mounted, in the
// order in which that was done.
func mountsBelow(dir string) ([]string, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("list the mounts: %w", err)
	}
	defer func() { _ = f.Close() }()
	var points []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if point := unescape(fields[4]); strings.HasPrefix(point, dir+"/") {
			points = append(points, point)
		}
	}
	return points, lines.Err()
}

// unescape reads a path as the kernel writes it, blanks as \040.
func unescape(path string) string {
	if text, err := strconv.Unquote(`"` + strings.ReplaceAll(path, `"`, `\"`) + `"`); err == nil {
		return text
	}
	return path
}

// removeAll removes a directory in which nothing is mounted any more: what a mount
// shows is not ours to remove.
func removeAll(dir string) error {
	if err := unmountBelow(dir); err != nil {
		return err
	}
	if points, err := mountsBelow(dir); err != nil || len(points) > 0 {
		return fmt.Errorf("remove %s: %v are mounted in it (%w)", dir, points, err)
	}
	return os.RemoveAll(dir)
}
