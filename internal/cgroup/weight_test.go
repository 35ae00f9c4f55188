package cgroup_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/cgroup"
)

func TestPrefer_RaisesTheGroupOfAllContainers(t *testing.T) {
	for name, c := range map[string]struct {
		own, container string // paths of this process's group, and of the container's
		around         string // directory with the weight of the group around that
		before, want   string
	}{
		"version 1":            {"/", "/docker/c1", "cpu/docker", "1024", "8192"},
		"version 2":            {"/", "/docker/c1", "docker", "100", "800"},
		"both in a group":      {"/host", "/host/docker/c1", "cpu/host/docker", "1024", "8192"},
		"it has more":          {"/", "/docker/c1", "cpu/docker", "20000", "20000"},
		"this is no neighbour": {"/system.slice/a", "/docker/c1", "cpu/docker", "1024", "1024"},
		"neither is this":      {"/", "/pods/pod/c1", "pods/pod", "100", "100"},
		"a slice":              {"/", "/system.slice/docker-c1.scope", "system.slice", "100", "100"},
		"nothing is around":    {"/", "/docker-c1", ".", "100", "100"},
	} {
		t.Run(name, func(t *testing.T) {
			lines, files := "0::%\n", map[string]string{"cgroup.controllers": "cpu\n", c.container + "/x": "", c.around + "/cpu.weight": c.before}
			if strings.HasPrefix(c.around, "cpu/") {
				lines = "4:memory:%\n2:cpu,cpuacct:%\n0::/\n"
				files = map[string]string{"memory" + c.container + "/x": "", "cpuacct" + c.container + "/x": "", c.around + "/cpu.shares": c.before}
			}
			proc := written(t, map[string]string{"7/cgroup": strings.ReplaceAll(lines, "%", c.container), "self/cgroup": strings.ReplaceAll(lines, "%", c.own)})
			root := written(t, files)

			group, err := cgroup.OfProcess(proc, root, 7, "c1")
			if err == nil {
				err = group.Prefer(8)
			}

			weight, _ := filepath.Glob(filepath.Join(root, c.around, "cpu.[sw]*"))
			got, unread := os.ReadFile(weight[0])
			if err = errors.Join(err, unread); err != nil || string(got) != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}
