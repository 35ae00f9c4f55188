package openresty

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/router"
	"aorta/router/table"
)

const cluster = "0192d3a0-0000-7000-8000-00000000c1c1"

// rig is a router under test: routes Redis, publisher and nginx.
type rig struct {
	tb     testing.TB
	redis  *testkit.RedisServer
	rdb    *redis.Client
	pub    *table.Publisher
	nginx  *Nginx
	cfg    Config
	base   string // "http://127.0.0.1:port"
	client *http.Client
	pair   router.Pair
	killed bool     // the master, whose sockets the next one finds in its way
	alerts []string // parts of the alerts that the test provokes
}

func newRig(tb testing.TB, change ...func(*Config)) *rig {
	tb.Helper()
	r := prepareRig(tb, change...)
	r.open()
	return r
}

// prepareRig makes everything but nginx.
func prepareRig(tb testing.TB, change ...func(*Config)) *rig {
	tb.Helper()
	dir := testkit.ShortDir(tb)
	// As aortad makes it: closed to nginx's workers, who are a user of their own.
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		tb.Fatalf("make the data directory: %v", err)
	}
	r := &rig{tb: tb, redis: testkit.Redis(tb), client: &http.Client{Timeout: testkit.Hang}}
	r.rdb = r.redis.Client(tb)
	r.pub = table.NewPublisher(r.rdb, cluster, "test")
	addr := testkit.FreeAddr(tb)
	r.base = "http://" + addr
	r.cfg = Config{
		Listen: []string{addr}, ReplicaSocket: r.redis.Socket,
		Cluster: cluster, RouterID: uuid.NewString(),
		DataDir: filepath.Join(data, "router"), RunDir: filepath.Join(dir, "run"), StateDir: filepath.Join(data, "state"),
		LogPath:         filepath.Join(data, "router", "access.log"),
		AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		WorkerProcesses: 2, DieWithParent: true, RoutesMemory: 16 << 20,
	}
	for _, c := range change {
		c(&r.cfg)
	}
	return r
}

func (r *rig) open() {
	r.tb.Helper()
	n, err := New(r.cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		r.tb.Fatalf("New: %v", err)
	}
	r.nginx = n
	if err := n.Open(r.tb.Context()); err != nil {
		text, _ := os.ReadFile(filepath.Join(r.cfg.DataDir, "nginx.log"))
		r.tb.Fatalf("Open: %v\n%s", err, text)
	}
	r.tb.Cleanup(func() {
		if err := n.Stop(testkit.BoundedBy(r.tb, context.Background())); err != nil {
			r.tb.Errorf("Stop: %v", err)
		}
		r.reportErrors()
	})
}

// reportErrors fails the test for what Lua says when it breaks.
func (r *rig) reportErrors() {
	text, err := os.ReadFile(filepath.Join(r.cfg.DataDir, "nginx.log"))
	if err != nil {
		r.tb.Errorf("read nginx's log: %v", err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if slices.ContainsFunc(r.alerts, func(part string) bool { return strings.Contains(line, part) }) {
			continue
		}
		if strings.Contains(line, "failed to run") || strings.Contains(line, "runtime error") ||
			strings.Contains(line, "stack traceback") || (strings.Contains(line, "[emerg]") && !r.killed) || (strings.Contains(line, "[alert]") && !strings.Contains(line, "exited on signal 9")) {
			r.tb.Errorf("nginx's log: %s", line)
		}
	}
}

// said are the lines of nginx's log that contain the part.
func (r *rig) said(part string) (lines []string) {
	text, err := os.ReadFile(filepath.Join(r.cfg.DataDir, "nginx.log"))
	if err != nil {
		r.tb.Errorf("read nginx's log: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, part) {
			lines = append(lines, line)
		}
	}
	return lines
}

// publish sends the records out under the next pair and waits for the workers.
func (r *rig) publish(records ...router.Record) {
	r.tb.Helper()
	r.change(records, nil)
	r.wait()
}

func (r *rig) change(records []router.Record, removed []string) {
	r.tb.Helper()
	if r.pair.Epoch == 0 {
		r.pair.Epoch = 1
		if err := r.pub.Claim(r.tb.Context(), 1); err != nil {
			r.tb.Fatalf("Claim: %v", err)
		}
	}
	r.pair.Generation++
	if err := r.pub.Publish(r.tb.Context(), r.pair, records, removed); err != nil {
		r.tb.Fatalf("Publish: %v", err)
	}
}

func (r *rig) wait() {
	r.tb.Helper()
	if _, err := r.nginx.WaitGeneration(testkit.Bounded(r.tb), r.pair); err != nil {
		r.tb.Fatalf("WaitGeneration: %v", err)
	}
}

func (r *rig) status() Status {
	r.tb.Helper()
	s, err := r.nginx.Status(r.tb.Context())
	if err != nil {
		r.tb.Fatalf("Status: %v", err)
	}
	return s
}

// do sends one request and returns status and body.
func (r *rig) do(method, host string) (int, string) {
	r.tb.Helper()
	code, body, err := r.try(method, host)
	if err != nil {
		r.tb.Fatalf("%s %s: %v", method, host, err)
	}
	return code, body
}

func (r *rig) try(method, host string) (int, string, error) {
	request, err := http.NewRequest(method, r.base+"/", strings.NewReader(map[string]string{"POST": "body"}[method]))
	if err != nil {
		return 0, "", err
	}
	request.Host = host
	answer, err := r.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), err
}

// app is one instance: it answers with its id and counts.
type app struct {
	router.Instance
	hits atomic.Int64
	srv  *httptest.Server
}

func newApp(tb testing.TB, handler http.HandlerFunc) *app {
	tb.Helper()
	a := &app{Instance: router.Instance{ID: uuid.NewString(), Type: "web", Node: uuid.NewString(), NodeName: "one"}}
	a.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		a.hits.Add(1)
		if handler != nil {
			handler(w, req)
			return
		}
		_, _ = io.WriteString(w, a.ID)
	}))
	a.Addr = strings.TrimPrefix(a.srv.URL, "http://")
	tb.Cleanup(a.srv.Close)
	return a
}

// deadApp is an instance whose port refuses connections.
func deadApp(tb testing.TB) *app {
	tb.Helper()
	return &app{Instance: router.Instance{
		ID: uuid.NewString(), Type: "web", Node: uuid.NewString(), NodeName: "one",
		Addr: testkit.FreeAddr(tb),
	}}
}

// route is a record with one release group of these instances.
func route(host string, apps ...*app) router.Record {
	r := router.Record{Host: host, App: uuid.NewString(), AppName: "shop"}
	r.Groups = []router.Group{group(1, apps...)}
	return r
}

func group(weight int, apps ...*app) router.Group {
	g := router.Group{Release: uuid.NewString(), ReleaseName: "v1", Weight: weight}
	for _, a := range apps {
		g.Instances = append(g.Instances, a.Instance)
	}
	return g
}

// raw sends bytes and reads until nginx closes.
func (r *rig) raw(text string) string {
	r.tb.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
	if err != nil {
		r.tb.Fatalf("dial: %v", err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(testkit.Hang))
	_, _ = io.WriteString(conn, text)
	answer, _ := io.ReadAll(conn)
	return string(answer)
}
