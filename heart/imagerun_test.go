package heart_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"aorta/heart/internal/rig"
	"aorta/pacemaker/cluster"
)

func (l *lab) imageOf(lines ...string) cluster.Image {
	l.t.Helper()
	return rig.ImageOf(l.t, l.engine, l.cfg.Cluster, rig.Binary(l.t), append([]string{"COPY app /testapp", `CMD ["/testapp"]`}, lines...)...)
}

func TestHeart_StopsWithTheImagesSignal(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.image = l.imageOf("STOPSIGNAL SIGQUIT")
	n := l.start()
	id := l.running(n, "serve", nil)

	if _, err := n.StopInstance(t.Context(), forInstance(id)); err != nil {
		t.Fatalf("stop: %v", err)
	}

	l.pace.set(func() {
		if got := fmt.Sprint(l.pace.lines); !strings.Contains(got, "stopped by SIGQUIT") {
			t.Errorf("its output: got %s, want that SIGQUIT stopped it", got)
		}
	})
}

func TestHeart_AnImagesHealthcheckDecides(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.image = l.imageOf(`HEALTHCHECK --interval=1h --retries=1 CMD ["/testapp", "check"]`)
	n := l.start()

	bad := l.want("unwell", func(s *cluster.InstanceSpec) { s.Health.StartTimeout = 15 * time.Second })
	_, err := n.StartInstance(t.Context(), forInstance(bad))
	if want := "HEALTHCHECK fails (no database at DATABASE_URL)"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("start what its image finds unhealthy: got %v, want %q", err, want)
	}
	replaced := l.want("unwell", func(s *cluster.InstanceSpec) { s.Health.Path = "/" })
	if _, err := n.StartInstance(t.Context(), forInstance(replaced)); err != nil {
		t.Errorf("start with a health path in its place: %v", err)
	}

	id := l.running(n, "serve", nil)
	spec := l.pace.specs[id]
	resp, err := http.Get("http://" + net.JoinHostPort(n.Address(), fmt.Sprint(spec.Port)) + "/unwell")
	if err != nil {
		t.Fatalf("ask the instance: %v", err)
	}
	_ = resp.Body.Close()

	l.eventually("the instance that turned unhealthy to take no traffic, with the cause", func() bool {
		s := l.pace.status(id)
		return s.Crashing && strings.Contains(s.Error, "HEALTHCHECK fails (no database at DATABASE_URL)")
	})
}
