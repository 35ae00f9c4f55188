package heart_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"aorta/heart"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// childEnv makes the test binary a heart over that data directory; its
// pacemaker is away for ever.
const childEnv = "AORTA_TEST_HEART_CHILD"

// childHeart is the main function of such a child: it creates the file "up"
// once its heart runs.
func childHeart(dir string) error {
	pace := newPacemaker(nil)
	pace.away = true
	h, err := heart.New(heart.Config{
		NodeID: cluster.NewID(), NodeName: "n1", Cluster: cluster.ID(os.Getenv("AORTA_TEST_CLUSTER")), DataDir: dir, DockerHost: testkit.DockerHost(),
		ReportEvery: 50 * time.Millisecond, Hello: cluster.Hello{Session: string(cluster.NewID())},
	}, pace, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := h.Open(ctx); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "up"), nil, 0o600); err != nil {
		return err
	}
	return h.Run(ctx)
}

func TestHeart_KilledTenTimesTouchesNoContainer(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	id := l.running(n, "serve", nil)
	before := l.inspect(id)
	n.kill()
	up := filepath.Join(l.cfg.DataDir, "up")

	for i := range 10 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+l.cfg.DataDir, "AORTA_TEST_CLUSTER="+string(l.cfg.Cluster))
		cmd.Stderr = os.Stderr
		gone := testkit.StartChild(t, cmd)
		if i%2 == 0 { // the others are killed wherever they are
			l.eventually("the child to run", func() bool { _, err := os.Stat(up); return err == nil })
			_ = os.Remove(up)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-gone
	}
	l.start()

	l.eventually("a report", func() bool { return l.pace.status(id).State == cluster.InstanceRunning })
	after, status := l.inspect(id), l.pace.status(id)
	got := fmt.Sprint(after.Pid, after.StartedAt, status.Restarts, status.Crashing)
	if want := fmt.Sprint(before.Pid, before.StartedAt, 0, false); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
