package heart_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"aorta/pacemaker/cluster"
)

// What an instance writes ends it when it is more than it may, in its own files or
// in a volume, and its container goes with all of it.
func TestHeart_EndsAnInstanceThatWritesTooMuch(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.image = l.imageOf("VOLUME /data")
	n := l.start()
	write := func(path string, megabytes int) cluster.ID {
		t.Helper()
		id := l.running(n, "serve", func(s *cluster.InstanceSpec) { s.Container.Disk = 16 << 20 })
		at := net.JoinHostPort(n.Address(), fmt.Sprint(l.pace.specs[id].Port))
		resp, err := http.Get(fmt.Sprintf("http://%s/write?path=%s&n=%d", at, path, megabytes))
		if err != nil {
			t.Fatal(err)
		}
		if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK {
			t.Fatalf("write %d MB to %s: %s", megabytes, path, resp.Status)
		}
		return id
	}

	little := write("/written", 8)
	for _, id := range []cluster.ID{write("/written", 24), write("/data/written", 24)} {
		l.eventually("the instance to be ended, and its container to go", func() bool {
			s := l.pace.status(id)
			return s.State == cluster.InstanceFailed && s.Gone && strings.Contains(s.Error, "more than its limit of 16m to its disk (raise it: disk: 32m")
		})
	}

	if s := l.pace.status(little); s.State != cluster.InstanceRunning || s.Crashing {
		t.Errorf("got %+v of one that wrote little, want it running", s)
	}
}
