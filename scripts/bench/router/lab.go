package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"aorta/router"
	"aorta/router/openresty"
	"aorta/router/table"
)

const openTimeout = 60 * time.Second

// lab is everything that runs, in one directory.
type lab struct {
	dir                  string
	children             []*exec.Cmd
	staticPid            int
	router               *openresty.Nginx
	staticURL, routerURL string
	script               string
	connections          int
	ports                []int // of the backends
	bodies               *http.Server
	bodiesPort           int
	redisSocket          string
	cluster              string
}

func openLab(ctx context.Context, o options) (*lab, error) {
	dir, err := os.MkdirTemp("/tmp", "ab")
	if err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	l := &lab{
		dir: dir, connections: o.connections, script: filepath.Join(dir, "wrk.lua"),
		redisSocket: filepath.Join(dir, "redis.sock"), cluster: uuid.NewString(),
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	steps := []func(context.Context, options) error{
		func(context.Context, options) error { return os.Chmod(dir, 0o755) },
		l.writeScript, l.startBackends, l.startBodies, l.startStatic, l.startRedis, l.startRouter, l.publish,
	}
	for _, step := range steps {
		if err := step(ctx, o); err != nil {
			return l, err
		}
	}
	return l, nil
}

func (l *lab) close() {
	if l.router != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := l.router.Stop(ctx); err != nil {
			slog.Warn("the router stays", "err", err)
		}
	}
	if l.bodies != nil {
		_ = l.bodies.Close()
	}
	for _, child := range l.children {
		_ = child.Process.Signal(os.Interrupt)
		_ = child.Wait()
	}
	_ = os.RemoveAll(l.dir)
}

func (l *lab) writeScript(_ context.Context, o options) error {
	return os.WriteFile(l.script, fmt.Appendf(nil, wrkScript, o.hosts), 0o644)
}

// startBackends starts one nginx that answers 1 kB on a port per instance.
func (l *lab) startBackends(ctx context.Context, o options) error {
	var servers strings.Builder
	for range o.instances {
		port, err := freePort()
		if err != nil {
			return err
		}
		l.ports = append(l.ports, port)
		fmt.Fprintf(&servers, "server { listen 127.0.0.1:%d backlog=4096; location / { return 200 '%s'; } }\n",
			port, strings.Repeat("x", 1024))
	}
	_, err := l.startNginx(ctx, "backend", fmt.Sprintf("access_log off; keepalive_requests 1000000; %s", servers.String()), l.ports[0], 0)
	return err
}

// startStatic starts the yardstick: one upstream, the same headers, the same log.
func (l *lab) startStatic(ctx context.Context, o options) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	var servers strings.Builder
	for _, p := range l.ports {
		fmt.Fprintf(&servers, "server 127.0.0.1:%d;", p)
	}
	buffer := ""
	if o.buffered {
		buffer = "buffer=64k flush=200ms"
	}
	l.staticURL = fmt.Sprintf("http://127.0.0.1:%d/", port)
	id := uuid.NewString()
	part := fmt.Sprintf(`,"host":"host-00001.example.com","app":"%s","release":"%s","type":"web","instance":"%s","node":"%s","router":"%s"`, id, id, id, id, id)
	l.staticPid, err = l.startNginx(ctx, "static", fmt.Sprintf(staticConf, part, filepath.Join(l.dir, "static.log"), buffer, servers.String(), port, bodiesPath, l.bodiesPort), port, openresty.WorkerPriority)
	return err
}

func (l *lab) startRedis(ctx context.Context, _ options) error {
	err := l.start(exec.Command("redis-server", "--port", "0", "--unixsocket", l.redisSocket,
		"--unixsocketperm", "777", "--save", "", "--dir", l.dir, "--logfile", filepath.Join(l.dir, "redis.log")))
	if err != nil {
		return err
	}
	return waitFor(ctx, "redis-server", func() error {
		conn, err := net.Dial("unix", l.redisSocket)
		if err == nil {
			return conn.Close()
		}
		return err
	})
}

func (l *lab) startRouter(ctx context.Context, o options) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	l.routerURL = fmt.Sprintf("http://127.0.0.1:%d/", port)
	l.router, err = openresty.New(openresty.Config{
		Listen: []string{fmt.Sprintf("127.0.0.1:%d", port)}, ReplicaSocket: l.redisSocket,
		Cluster: l.cluster, RouterID: uuid.NewString(),
		DataDir: filepath.Join(l.dir, "data"), RunDir: filepath.Join(l.dir, "run"), StateDir: filepath.Join(l.dir, "state"),
		LogPath: filepath.Join(l.dir, "router.log"), LogBuffered: o.buffered, WorkerProcesses: 1,
		AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		RoutesMemory:    int64(o.hosts+10000) * 4096,
		DieWithParent:   true,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return l.router.Open(ctx)
}

// publish writes the table and waits until the workers have it.
func (l *lab) publish(ctx context.Context, o options) error {
	rdb := redis.NewClient(&redis.Options{
		Network: "unix", Addr: l.redisSocket, DisableIdentity: true, MaxRetries: -1, ReadTimeout: time.Minute,
	})
	defer rdb.Close()
	publisher := table.NewPublisher(rdb, l.cluster, "bench")
	if err := publisher.Claim(ctx, 1); err != nil {
		return err
	}
	routes := make(router.Table, o.hosts)
	for i := range o.hosts {
		r := record(fmt.Sprintf("host-%05d.example.com", i), l.ports...)
		routes[r.Host] = r
	}
	routes[bodiesHost] = record(bodiesHost, l.bodiesPort)
	begin := time.Now()
	pair := router.Pair{Epoch: 1, Generation: 1}
	if err := publisher.Replace(ctx, pair, routes); err != nil {
		return err
	}
	written := time.Since(begin)
	if _, err := l.router.WaitGeneration(ctx, pair); err != nil {
		return err
	}
	fmt.Printf("%d hosts published in %s, taken by the workers after %s\n",
		o.hosts, written.Round(time.Millisecond), time.Since(begin).Round(time.Millisecond))
	return nil
}

func record(host string, ports ...int) router.Record {
	r := router.Record{Host: host, App: uuid.NewString(), AppName: "bench"}
	g := router.Group{Release: uuid.NewString(), ReleaseName: "v1", Weight: 1}
	for _, port := range ports {
		g.Instances = append(g.Instances, router.Instance{
			ID: uuid.NewString(), Type: "web", Node: uuid.NewString(), NodeName: "one",
			Addr: fmt.Sprintf("127.0.0.1:%d", port),
		})
	}
	r.Groups = []router.Group{g}
	return r
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func waitFor(ctx context.Context, what string, try func() error) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}
