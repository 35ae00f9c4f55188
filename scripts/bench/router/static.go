package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"aorta/internal/procs"
)

// staticConf takes the log's fixed part, its path and buffer, the upstream's
// servers, the port, and where large bodies go. Nothing of a body is kept in a
// file, as in the router; else it is what nginx does by itself.
const staticConf = `
keepalive_requests 1000000;
server_tokens off;
request_pool_size 8k;
log_format aorta escape=none '{"time":$msec,"status":"$status","bytes":$bytes_sent,"seconds":$request_time,"upstream_seconds":"$upstream_response_time","upstream_status":"$upstream_status"%s}';
access_log %s aorta %s;
map $http_upgrade $up { default ""; websocket websocket; }
map $up $conn { default ""; websocket upgrade; }
map $http_x_request_id $rid { default $request_id; "~^[A-Za-z0-9._:+/=-]{1,128}$" $http_x_request_id; }
upstream u { %s keepalive 512; keepalive_timeout 4s; keepalive_requests 100000; }
server {
  listen 127.0.0.1:%d backlog=4096;
  client_max_body_size 0;
  proxy_request_buffering off;
  proxy_max_temp_file_size 0;
  proxy_http_version 1.1;
  proxy_set_header Host $host;
  proxy_set_header Upgrade $up;
  proxy_set_header Connection $conn;
  proxy_set_header X-Request-Id $rid;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $host;
  proxy_set_header X-Forwarded-Port $server_port;
  proxy_set_header Forwarded "";
  proxy_set_header Proxy "";
  location / { proxy_pass http://u; }
  location %s { proxy_pass http://127.0.0.1:%d; }
}
`

const nginxConf = `daemon off; worker_processes 1; worker_priority %[4]d; pid %[1]s/%[2]s.pid; error_log stderr error;
events { worker_connections 4096; }
http { client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
%[3]s
}
`

// startNginx runs one nginx with the given http block until the port answers,
// and returns its process id. Its workers and its session have that priority.
func (l *lab) startNginx(ctx context.Context, name, http string, port, priority int) (int, error) {
	dir := filepath.Join(l.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, fmt.Errorf("start nginx: %w", err)
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, name, http, priority), 0o644); err != nil {
		return 0, fmt.Errorf("start nginx: %w", err)
	}
	command := exec.Command("nginx", "-p", dir, "-c", conf, "-e", "stderr")
	if err := l.start(command); err != nil {
		return 0, err
	}
	if err := procs.SetSessionNice(command.Process.Pid, priority); err != nil {
		return 0, err
	}
	err := waitFor(ctx, name, func() error {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return conn.Close()
		}
		return err
	})
	return command.Process.Pid, err
}

// start runs a child in a session of its own, as the router's nginx is: the
// kernel gives sessions equal shares of a busy machine, and an interrupt at the
// terminal reaches us alone. close ends it.
func (l *lab) start(command *exec.Cmd) error {
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", command.Path, err)
	}
	l.children = append(l.children, command)
	return nil
}
