package cgroup_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aorta/internal/cgroup"
)

// written makes files with their texts below a directory of its own.
func written(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestOfProcess_FindsWhatItsGroupUses(t *testing.T) {
	const apart = "9:name=systemd:/docker/c1\n4:memory:/docker/c1\n2:cpu,cpuacct:/docker/c1\n0::/\n"
	for name, c := range map[string]struct {
		process string
		files   map[string]string
	}{
		"version 1": {apart, map[string]string{
			"memory/docker/c1/memory.usage_in_bytes": "5000\n",
			"memory/docker/c1/memory.stat":           "inactive_file 7\ntotal_rss 1\ntotal_inactive_file 2000\n",
			"cpuacct/docker/c1/cpuacct.usage":        "1500000000\n",
		}},
		"version 2": {"0::/system.slice/docker-c1.scope\n", map[string]string{
			"cgroup.controllers":                             "cpu memory\n",
			"system.slice/docker-c1.scope/memory.current":    "5000\n",
			"system.slice/docker-c1.scope/memory.stat":       "anon 9\ninactive_file 2000\n",
			"system.slice/docker-c1.scope/cpu.stat":          "usage_usec 1500000\nuser_usec 9\n",
			"system.slice/docker-c1.scope/memory.swap.max":   "0\n",
			"system.slice/docker-other.scope/memory.current": "1\n",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			proc, root := written(t, map[string]string{"7/cgroup": c.process}), written(t, c.files)

			group, err := cgroup.OfProcess(proc, root, 7, "c1")
			if err != nil {
				t.Fatal(err)
			}
			got, err := group.Usage()

			if want := (cgroup.Usage{Memory: 3000, CPU: 1500 * time.Millisecond}); err != nil || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
			for what, pid := range map[string]int{"c2": 7, "": 7, "c1": 8} {
				if _, err := cgroup.OfProcess(proc, root, pid, what); !errors.Is(err, cgroup.ErrNone) {
					t.Errorf("group %q of process %d: got %v, want %v", what, pid, err, cgroup.ErrNone)
				}
			}
		})
	}
}

// A process may see its groups under other names than ours.
func TestOfProcess_WhoseGroupIsNotSeenFromHere(t *testing.T) {
	proc, root := written(t, map[string]string{"7/cgroup": "0::/outer/docker-c1.scope\n"}), written(t, map[string]string{"cgroup.controllers": ""})

	if _, err := cgroup.OfProcess(proc, root, 7, "c1"); !errors.Is(err, cgroup.ErrNone) {
		t.Errorf("got %v, want %v", err, cgroup.ErrNone)
	}
}
