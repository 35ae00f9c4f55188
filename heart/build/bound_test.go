package build_test

import (
	"fmt"
	"strings"
	"testing"

	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// With either builder, a step that takes more than it may fails by that, and one
// that takes less does not.
func TestBuilder_BoundsTheMemoryOfAStep(t *testing.T) {
	for _, classic := range []bool{false, true} {
		t.Run(fmt.Sprintf("classic %t", classic), func(t *testing.T) {
			b, s, r := setUp(t, nil)
			b.Classic, b.Memory = classic, 128<<20
			base := rig.Shell(t, b.Engine, s.spec.Cluster)
			step := func(size string) {
				s.spec.ID, s.spec.State = cluster.NewID(), ""
				s.source = rig.Tar(t, map[string]string{"Dockerfile": "FROM " + base + "\nENV ONCE=" + string(s.spec.ID) + "\nRUN dd if=/dev/zero of=/dev/null count=1 bs=" + size + "\nCMD [\"x\"]\n"})
				r = &rig.Job{Arguments: cluster.BuildArgs{Build: s.spec.ID}}
			}

			step("32M")
			_, less := b.Build(t.Context(), r)
			step("512M")
			_, more := b.Build(t.Context(), r)

			if less != nil {
				t.Errorf("a step within its bound: %v\n%s", less, strings.Join(r.Lines(), "\n"))
			}
			if want := "as the kernel ends a step that takes more than 128m of memory"; more == nil || !strings.Contains(more.Error(), want) || !jobs.IsPermanent(more) {
				t.Errorf("a step that takes more: got %v, want a permanent error with %q", more, want)
			}
		})
	}
}

// The step ends once it sees its bound.
func TestBuilder_BoundsTheProcessorsOfAStep(t *testing.T) {
	for _, classic := range []bool{false, true} {
		t.Run(fmt.Sprintf("classic %t", classic), func(t *testing.T) {
			b, s, r := setUp(t, nil)
			b.Classic, b.CPUs, b.Timeout = classic, 0.5, testkit.Hang
			base := rig.Shell(t, b.Engine, s.spec.Cluster)
			s.source = rig.Tar(t, map[string]string{"Dockerfile": "FROM " + base + "\nENV ONCE=" + string(s.spec.ID) + "\n" +
				"RUN until cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>/dev/null | grep -q '^50000'; do :; done\nCMD [\"x\"]\n"})

			if _, err := b.Build(t.Context(), r); err != nil {
				t.Errorf("%v\n%s", err, strings.Join(r.Lines(), "\n"))
			}
		})
	}
}
