package main_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aorta/internal/pki"
	"aorta/internal/testkit"
	names "aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

// A node's certificate opens that node's part of the nodes' API, and nothing else.
func TestDoors_NodeOfAnotherName(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	own := c.nodes()[0].ID
	joined, other := c.identity("n2")
	id := string(joined.NodeID)
	stranger, err := pki.OpenIdentity(t.TempDir())
	testkit.Must(t, err)
	authority, err := pki.Open(t.TempDir(), true)
	testkit.Must(t, err)
	signed, err := authority.Node(own, stranger.PublicKey())
	testkit.Must(t, err)
	testkit.Must(t, stranger.Install(signed, c.authority()))
	none, err := pki.Trust(c.authority())
	testkit.Must(t, err)
	nodes, instance := c.nodeURL(), shop.ps1().ID

	for _, tt := range []struct {
		as                 *tls.Config
		method, path, body string
		status             int
	}{
		{trustOf(t, other), "POST", "/nodes/" + own + "/report", `{}`, 403},
		{trustOf(t, other), "POST", "/nodes/" + own + "/hello", `{}`, 403},
		{trustOf(t, other), "POST", "/nodes/" + own + "/router", `{}`, 403},
		{trustOf(t, other), "GET", "/nodes/" + own + "/instances/" + instance + "/spec", "", 403},
		{trustOf(t, other), "GET", "/nodes/" + id + "/instances/" + instance + "/spec", "", 404},
		{trustOf(t, other), "POST", "/nodes/" + id + "/instances/" + instance + "/port", `{"refused":20000}`, 404},
		{trustOf(t, other), "GET", "/nodes/" + id + "/builds/" + instance, "", 403},
		{trustOf(t, other), "GET", "/nodes/" + id + "/builds/" + instance + "/source", "", 403},
		{trustOf(t, stranger), "POST", "/nodes/" + own + "/report", `{}`, 401},
		{none, "POST", "/nodes/" + own + "/report", `{}`, 401},
		{none, "POST", "/join", `{"name":"n3","hostname":"h","version":"1","request":""}`, 401},
		{trustOf(t, other), "POST", "/nodes/" + id + "/router", `{"epoch":1,"generation":1,"workers":1}`, 403},
		{trustOf(t, other), "POST", "/nodes/" + id + "/output", `[{"instance":"` + instance + `","type":"web","release":"v1","from":"","to":"x","times":[1],"streams":["stdout"],"texts":["forged"]}]`, 200},
		{trustOf(t, other), "GET", "/apps", "", 404},
	} {
		a := c.callAs(tt.as, c.adminToken(), tt.method, nodes+"/api/v1"+tt.path, tt.body)
		if a.status != tt.status {
			t.Errorf("%s %s: got %d %.200s, want %d", tt.method, tt.path, a.status, a.body, tt.status)
		}
	}

	if logs := c.call("GET", "/apps/shop/logs", ""); logs.status != 200 || strings.Contains(logs.body, "forged") {
		t.Errorf("got %+v, want the app's log without what another node said in its name", logs)
	}
	if now := shop.ps1(); now.ID != instance || now.State != "running" {
		t.Errorf("got instance %+v, want as before", now)
	}
}

// identity joins the cluster as a heart of that name, of which nothing runs.
func (c *cluster) identity(name string) (names.Joined, *pki.Identity) {
	c.tb.Helper()
	who, err := pki.OpenIdentity(c.tb.TempDir())
	testkit.Must(c.tb, err)
	request, err := who.Request()
	testkit.Must(c.tb, err)
	token := c.joinToken("--name", name, "--roles", "heart")
	joined, err := client.Join(c.tb.Context(), c.nodeURL(), names.Join{Token: token, Name: name, Hostname: "h", Version: "1", Request: string(request)})
	testkit.Must(c.tb, err)
	testkit.Must(c.tb, who.Install([]byte(joined.Certificate), []byte(joined.Authority)))
	return joined, who
}

func trustOf(tb testing.TB, who *pki.Identity) *tls.Config {
	tb.Helper()
	trust, err := who.Trust()
	testkit.Must(tb, err)
	return trust
}

// authority is the cluster's, as PEM.
func (c *cluster) authority() []byte {
	c.tb.Helper()
	raw, err := os.ReadFile(c.dir + "/data/pki/ca.crt")
	testkit.Must(c.tb, err)
	return raw
}

// callAs asks the nodes' API over a connection of its own.
func (c *cluster) callAs(trust *tls.Config, token, method, url, body string) said {
	c.tb.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	testkit.Must(c.tb, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	transport := &http.Transport{TLSClientConfig: trust}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	testkit.Must(c.tb, err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	testkit.Must(c.tb, err)
	return said{resp.StatusCode, resp.Header, string(raw)}
}

func (c *cluster) nodes() []wire.Node {
	c.tb.Helper()
	return asJSON[[]wire.Node](c, "nodes")
}

func (c *cluster) adminToken() string {
	c.tb.Helper()
	token, err := os.ReadFile(c.dir + "/data/admin.token")
	if err != nil {
		c.tb.Fatal(err)
	}
	return strings.TrimSpace(string(token))
}

// nodeURL is where the nodes' API listens.
func (c *cluster) nodeURL() string {
	c.tb.Helper()
	return "https://" + c.recordedAddress("node_listen")
}

// recordedAddress is the address of a listener that was not given.
func (c *cluster) recordedAddress(listener string) string {
	c.tb.Helper()
	var recorded struct{ Addresses map[string]string }
	raw, err := os.ReadFile(c.dir + "/data/places.json")
	if err == nil {
		err = json.Unmarshal(raw, &recorded)
	}
	if err != nil || recorded.Addresses[listener] == "" {
		c.tb.Fatalf("the address of %s: %v", listener, err)
	}
	return recorded.Addresses[listener]
}

// A record that somebody broke in the routes Redis is passed over with its
// reason: its host goes on by the record before, also in a new worker, and the
// others do not notice.
func TestDoors_BrokenRouteRecord(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop, blog := c.newApp("shop", "hello"), c.newApp("blog", "hello")
	shop.deploy()
	blog.deploy()
	address := shop.ps1().Address
	broken := map[string]func(good string) string{
		"":                                 func(string) string { return `{"host":` },
		"in none of the allowed networks":  func(good string) string { return strings.Replace(good, address, "203.0.113.7:80", 1) },
		"addr is not an ip:port":           func(good string) string { return strings.Replace(good, address, "localhost:22", 1) },
		"app is not a lower-case UUID":     func(good string) string { return strings.Replace(good, `"app":"`, `"app":"../`, 1) },
		"groups is a number":               func(good string) string { return strings.Replace(good, `"groups":[`, `"groups":7,"was":[`, 1) },
		"weight is not a whole number":     func(good string) string { return strings.Replace(good, `"weight":`, `"weight":-`, 1) },
		"host is neither a host name":      func(good string) string { return strings.Replace(good, `"host":"`, `"host":"no/`, 1) },
		"id is not a lower-case UUID":      func(good string) string { return strings.Replace(good, `"id":"`, `"id":"X`, 1) },
		"generation is not a whole number": func(good string) string { return strings.Replace(good, `"generation":`, `"generation":1.5,"was":`, 1) },
	}
	hosts := map[string]string{}
	for why := range broken {
		host := fmt.Sprintf("d%d.example.com", len(hosts))
		c.aorta("domains", "add", "-a", "shop", host)
		hosts[host] = why
	}
	c.served(shop, hosts)

	for host, why := range hosts {
		c.breakRoute(host, broken[why])
		testkit.Eventually(t, "the reason in the router's log: "+why, func() bool {
			_, after, said := strings.Cut(c.routerLog(), "route record of "+host+" is broken, the previous one stays: ")
			line, _, _ := strings.Cut(after, "\n")
			return said && strings.Contains(line, why)
		})
	}
	c.served(shop, hosts)
	for _, worker := range children(t, c.pidOf("nginx")) {
		_ = syscall.Kill(worker, syscall.SIGKILL)
	}
	testkit.Eventually(t, "new workers", func() bool { return len(children(t, c.pidOf("nginx"))) == 2 })
	c.served(shop, hosts)
	blog.serve(4)

	blog.write("note.txt", "another")
	blog.commit("second")
	blog.deploy()
	if got := blog.release(); got != "v2" {
		t.Errorf("another app's deploy: got %s, want v2", got)
	}
	shop.write("note.txt", "another")
	commit := shop.commit("second")
	shop.deploy()
	shop.settled(commit)
	c.served(shop, hosts)
}

// served asks for each host, so often that each worker was probably asked.
func (c *cluster) served(p *project, hosts map[string]string) {
	c.tb.Helper()
	for host := range hosts {
		for range 4 {
			req, err := http.NewRequest("GET", c.router+"/echo", nil)
			if err != nil {
				c.tb.Fatal(err)
			}
			req.Host, req.Close = host, true
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				c.tb.Fatalf("GET %s: %v", host, err)
			}
			var answer struct{ App string }
			err = json.NewDecoder(resp.Body).Decode(&answer)
			_ = resp.Body.Close()
			if resp.StatusCode != 200 || err != nil || answer.App != p.name {
				c.tb.Errorf("%s: got %d from %q (%v), want 200 from %s", host, resp.StatusCode, answer.App, err, p.name)
			}
		}
	}
}

// breakRoute changes a record by hand, at once as a publish does.
func (c *cluster) breakRoute(host string, change func(good string) string) {
	c.tb.Helper()
	ctx := context.Background()
	client := c.redis("routes")
	good := client.Get(ctx, "routes:r:"+host).Val()
	text := change(good)
	if good == "" || text == good {
		c.tb.Fatalf("nothing changed in the record of %s: %s", host, good)
	}
	testkit.Must(c.tb, client.Eval(ctx, `
		redis.call('SET', 'routes:r:' .. ARGV[1], ARGV[2])
		redis.call('ZADD', 'routes:changes', redis.call('HINCRBY', 'routes:meta', 'seq', 1), ARGV[1])
		return redis.call('PUBLISH', 'routes:changed', '{}')`, nil, host, text).Err())
}

func (c *cluster) routerLog() string {
	c.tb.Helper()
	raw, err := os.ReadFile(c.dir + "/data/router/nginx.log")
	if err != nil {
		c.tb.Fatal(err)
	}
	return string(raw)
}

// A config var's value is in the clear where it is asked for, in the file of
// the instance that gets it and in its container; nowhere else.
func TestDoors_SecretStaysWhereItBelongs(t *testing.T) {
	t.Parallel()
	const canary = "canary-7Qx2mVd9"
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()

	c.aorta("config", "set", "-a", "shop", "TOKEN="+canary)
	c.aorta("ps", "scale", "-a", "shop", "web=2")
	shop.write("Dockerfile", "FROM scratch\nCOPY missing /\n")
	shop.commit("fails")
	shop.push()
	shop.serve(1)
	shop.counted(1)

	if got := strings.TrimSpace(c.aorta("config", "get", "-a", "shop", "TOKEN")); got != canary {
		t.Errorf("got %q where it was asked for, want %q", got, canary)
	}
	if text := c.everythingTold("shop"); strings.Contains(text, canary) {
		t.Errorf("the API tells it:\n%s", around(text, canary))
	}
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range commands {
		if raw, _ := os.ReadFile(path); bytes.Contains(raw, []byte(canary)) {
			t.Errorf("the process list has it: %q", raw)
		}
	}
	files := c.filesWith(canary)
	if len(files) == 0 {
		t.Error("not even its heart has the value in a file: were they looked at?")
	}
	for _, path := range files {
		info, err := os.Stat(path)
		if !strings.HasPrefix(path, c.dir+"/data/heart/") || err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file %s has it (%v)", path, err)
		}
	}
}

// everythingTold is what the API answers to all questions but for config vars.
func (c *cluster) everythingTold(app string) string {
	c.tb.Helper()
	paths := []string{"/apps", "/jobs?limit=1000", "/nodes", "/status", "/whoami"}
	for _, what := range []string{"", "/domains", "/formation", "/instances", "/releases", "/stats", "/logs", "/releases/v1", "/releases/v2"} {
		paths = append(paths, "/apps/"+app+what)
	}
	for _, job := range asJSON[[]wire.Job](c, "jobs", "-n", "0") {
		paths = append(paths, "/jobs/"+job.ID, "/jobs/"+job.ID+"/log")
	}
	var all strings.Builder
	for _, path := range paths {
		a := c.call("GET", path, "")
		if a.status != http.StatusOK {
			c.tb.Errorf("GET %s: got %d %s", path, a.status, a.body)
		}
		all.WriteString(path + ": " + a.body + "\n")
	}
	return all.String()
}

func around(text, what string) string {
	at := strings.Index(text, what)
	return text[max(0, at-200):min(len(text), at+200)]
}

// filesWith names the cluster's files that hold a text: logs, databases and
// what each Redis keeps, after it was told to write all of it down.
func (c *cluster) filesWith(text string) []string {
	c.tb.Helper()
	for _, name := range []string{"jobs", "routes", "stats"} {
		if err := c.redis(name).Save(context.Background()).Err(); err != nil {
			c.tb.Fatal(err)
		}
	}
	var found []string
	err := filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // it went meanwhile
		}
		if raw, err := os.ReadFile(path); err == nil && bytes.Contains(raw, []byte(text)) {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		c.tb.Fatal(err)
	}
	return found
}
