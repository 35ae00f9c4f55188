package heart

import (
	"strings"
	"testing"

	"aorta/heart/docker"
	"aorta/pacemaker/cluster"
)

func TestExitText_SaysHowAProcessEnded(t *testing.T) {
	t.Parallel()
	spec := cluster.InstanceSpec{Type: "web"}
	spec.Limits.Memory = 16 << 20
	for _, c := range []struct {
		ended docker.Container
		want  string
	}{
		{docker.Container{ExitCode: 3}, "exited with code 3"},
		{docker.Container{ExitCode: 139}, "signal 11"},
		{docker.Container{ExitCode: 137, OOM: true}, "aorta ps type web --memory 32m"},
		{docker.Container{ExitCode: 137}, "when nobody killed it, it hit its memory limit of 16m"},
	} {
		if got := exitText(spec, c.ended); !strings.Contains(got, c.want) {
			t.Errorf("exit code %d, out of memory %t: got %q, want %q in it", c.ended.ExitCode, c.ended.OOM, got, c.want)
		}
	}
}
