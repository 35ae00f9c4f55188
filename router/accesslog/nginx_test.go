package accesslog

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"aorta/internal/testkit"
	"aorta/router/stats"
)

const nginxConf = `
daemon off; master_process on; worker_processes 2; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 256; }
http {
  log_format aorta escape=none '{"time":$msec,"status":"$status","bytes":$bytes_sent,"seconds":$request_time,"upstream_seconds":"$upstream_response_time","upstream_status":"$upstream_status","host":"h","app":"app-1","router":"x1"}';
  access_log %[1]s/access.log aorta buffer=64k flush=50ms;
  uninitialized_variable_warn off;
  client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server { listen unix:%[1]s/n.sock; return 200 "ok"; }
}`

// Each answer of a real nginx is counted once while its log is rotated again and
// again under load, and the rotated logs go.
func TestTailer_RotatesTheLogOfARealNginx(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("nginx")
	if err != nil {
		t.Fatalf("this test needs nginx on the path: %v", err)
	}
	l, m := newLogFile(t), newMemory()
	dir := filepath.Dir(l.path)
	testkit.Must(l.tb, os.WriteFile(dir+"/conf", fmt.Appendf(nil, nginxConf, dir), 0o644))
	cmd := exec.Command(path, "-p", dir, "-e", dir+"/error.log", "-c", dir+"/conf")
	gone := testkit.StartChild(t, cmd)
	t.Cleanup(func() { // killed, it would leave its workers behind
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-gone
	})
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", dir+"/n.sock")
	}}}
	defer client.CloseIdleConnections()
	get := func() error {
		answer, err := client.Get("http://h/")
		if err == nil {
			_ = answer.Body.Close()
		}
		return err
	}
	testkit.Eventually(t, "nginx to answer", func() bool { return get() == nil })
	testkit.Must(l.tb, l.fd.Close())
	var rotations atomic.Int32
	r := l.start(m, func(c *Config) {
		c.RotateBytes = 20_000
		c.Reopen = func() error { rotations.Add(1); return cmd.Process.Signal(syscall.SIGUSR1) }
	})

	answers := 1
	testkit.Eventually(t, "the log to be rotated twice while it is written", func() bool {
		for range 200 {
			testkit.Must(l.tb, get())
			answers++
		}
		return rotations.Load() >= 2 && answers > 2000
	})
	l.want[stats.ShardOf("app-1")] = answers

	l.counted(m)
	testkit.Eventually(t, "the rotated logs to be deleted", func() bool {
		all, _ := filepath.Glob(l.path + ".*")
		return len(all) == 0
	})
	r.stop()
}
