package cgroup

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOwnMemory_IsWhatTheTightestGroupMayHave(t *testing.T) {
	const machine = 8 << 30
	for name, c := range map[string]struct {
		process string
		files   map[string]string
		want    int64
	}{
		"no groups":          {"", nil, machine},
		"version 1":          {"4:memory:/a/b\n0::/\n", map[string]string{"memory/a/memory.limit_in_bytes": "2000\n", "memory/a/b/memory.limit_in_bytes": "3000\n"}, 2000},
		"version 1, none":    {"4:memory:/a\n", map[string]string{"memory/a/memory.limit_in_bytes": "9223372036854771712\n"}, machine},
		"version 1, inside":  {"4:memory:/docker/c1\n", map[string]string{"memory/memory.limit_in_bytes": "1000\n"}, 1000},
		"version 2":          {"0::/system.slice/aortad.service\n", map[string]string{"cgroup.controllers": "memory\n", "system.slice/memory.max": "max\n", "system.slice/aortad.service/memory.max": "4000\n"}, 4000},
		"version 2, around":  {"0::/a/b\n", map[string]string{"cgroup.controllers": "memory\n", "a/memory.max": "4000\n", "a/b/memory.max": "max\n"}, 4000},
		"version 2, inside":  {"0::/\n", map[string]string{"cgroup.controllers": "memory\n", "memory.max": "4000\n"}, 4000},
		"more than there is": {"0::/a\n", map[string]string{"cgroup.controllers": "memory\n", "a/memory.max": "9000000000000\n"}, machine},
	} {
		dir := t.TempDir()
		files := map[string]string{"proc/self/cgroup": c.process}
		for path, text := range c.files {
			files["root/"+path] = text
		}
		for path, text := range files {
			path = filepath.Join(dir, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}

		if got := memoryWithin(filepath.Join(dir, "proc"), filepath.Join(dir, "root"), machine); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func TestOwnMemory_IsThere(t *testing.T) {
	if OwnMemory() <= 0 {
		t.Error("got none")
	}
}
