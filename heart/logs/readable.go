package logs

import (
	"os"
	"path/filepath"

	"aorta/pacemaker/cluster"
)

// CheckReadable refuses an engine whose log files can't be read here. Root is the
// engine's data directory.
func CheckReadable(root string) error {
	dir, err := os.Open(filepath.Join(root, "containers"))
	if err == nil {
		_, err = dir.Readdirnames(1)
		_ = dir.Close()
	}
	if os.IsNotExist(err) {
		return cluster.Invalid("docker_host", "the engine's log files, from which apps' output is read, are not on this machine: %v (a heart works with the engine of its own machine, and with one in a container only if it sees that directory under the same name)", err)
	}
	if os.IsPermission(err) {
		return cluster.Invalid("docker_host", "the engine's log files, from which apps' output is read, may not be read: %v (run aortad as root, or grant it CAP_DAC_READ_SEARCH)", err)
	}
	return nil
}
