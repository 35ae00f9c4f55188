package heart

import (
	"net/netip"
	"strings"
	"testing"
	"time"

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
		{docker.Container{ExitCode: 137}, "if nobody sent that, it hit its memory limit of 16m"},
	} {
		if got := exitText(spec, c.ended); !strings.Contains(got, c.want) {
			t.Errorf("exit code %d, out of memory %t: got %q, want %q in it", c.ended.ExitCode, c.ended.OOM, got, c.want)
		}
	}
}

func TestListenCause_FormatsTheTimeoutForPeople(t *testing.T) {
	t.Parallel()
	for limit, want := range map[time.Duration]string{2 * time.Second: "timeout of 2s", time.Minute: "timeout of 1m", 90 * time.Second: "timeout of 1m30s", 10 * time.Minute: "timeout of 10m"} {
		if got := listenCause(nil, limit); !strings.Contains(got, want+";") {
			t.Errorf("%s: got %q, want %q in it", limit, got, want)
		}
	}
}

func TestListenCause_SaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		listens string // empty: nowhere
		want    string
	}{
		{"", "set health: {start_timeout: …}"},
		{"127.0.0.1:5000", "127.0.0.1:5000 inside its container only; listen on 0.0.0.0"},
		{"[::1]:5000", "[::1]:5000 inside its container only; listen on 0.0.0.0"},
		{"[::]:5000", "[::]:5000 for IPv6 alone, and requests come by IPv4; listen on 0.0.0.0, or on :: with"},
		{"0.0.0.0:5000", "did not listen on PORT (5000) within"}, // it came to, after the last check
		{"[::]:80", "[::]:80, not on PORT (5000); listen on 0.0.0.0:$PORT"},
	} {
		var found []listener
		if c.listens != "" {
			at := netip.MustParseAddrPort(c.listens)
			found = append(found, listener{addr: at.Addr(), port: int(at.Port())})
		}
		if got := listenCause(found, time.Minute); !strings.Contains(got, c.want) {
			t.Errorf("listening on %q: got %q, want %q in it", c.listens, got, c.want)
		}
	}
}
