package cgroup_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"aorta/internal/cgroup"
)

// files of a group, as its version has them.
func tree(t *testing.T, paths ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, p := range paths {
		path := filepath.Join(root, p)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestGroup_IsFoundAndLimited(t *testing.T) {
	unified := []string{"cgroup.controllers", "system.slice/system.slice:docker:id/memory.max", "system.slice/system.slice:docker:id/cpu.max"}
	apart := []string{"memory/docker/buildkit/id/memory.limit_in_bytes", "memory/docker/buildkit/id/memory.memsw.limit_in_bytes", "cpu/docker/buildkit/id/cpu.cfs_quota_us", "cpu/docker/buildkit/id/cpu.cfs_period_us"}
	for name, c := range map[string]struct {
		files []string
		path  string
		want  map[string]string
	}{
		"version 2": {unified, "system.slice:docker:id", map[string]string{unified[1]: "1048576", unified[2]: "200000 100000"}},
		"version 1": {apart, "/docker/buildkit/id", map[string]string{apart[0]: "1048576", apart[1]: "1048576", apart[2]: "200000", apart[3]: "100000"}},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(t, c.files...)

			g, err := cgroup.Find(root, c.path)
			if err == nil {
				err = g.Limit(cgroup.Limits{Memory: 1 << 20, CPUQuota: 200_000, Period: 100_000})
			}

			if err != nil {
				t.Fatal(err)
			}
			for file, want := range c.want {
				if got, err := os.ReadFile(filepath.Join(root, file)); err != nil || string(got) != want {
					t.Errorf("%s: got %q, %v, want %q", file, got, err, want)
				}
			}
		})
	}
}

func TestGroup_ThatIsNotThere(t *testing.T) {
	for name, root := range map[string]string{"version 2": tree(t, "cgroup.controllers"), "version 1": tree(t, "memory/x", "cpu/x")} {
		for _, path := range []string{"", "/docker/buildkit/id", "system.slice:docker:id"} {
			if _, err := cgroup.Find(root, path); !errors.Is(err, cgroup.ErrNone) {
				t.Errorf("%s of %q: got %v, want %v", path, name, err, cgroup.ErrNone)
			}
		}
	}
}
