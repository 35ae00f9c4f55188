package main_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// hush is the password of the Redis servers that are not the daemon's own.
const hush = "hush-hush"

// asAorta makes a user for aortad, and a door on TCP.
func asAorta(port string, extra ...string) []string {
	return append(append([]string{"--port", port, "--bind", "127.0.0.1"}, user("aorta ~* &* +@all")...), extra...)
}

// user are the arguments that make a user with that password and rules.
func user(name string) []string {
	words := strings.Fields(name)
	return append([]string{"--user", words[0], "on", ">" + hush}, words[1:]...)
}

func ownURL(port string) string { return "redis://aorta:" + hush + "@127.0.0.1:" + port }

// authority is the file of who signed a server's certificate.
func authority(tb testing.TB, s *testkit.RedisTLSServer) string {
	tb.Helper()
	const name = "tls-ca-cert-file"
	path := s.Client(tb).ConfigGet(context.Background(), name).Val()[name]
	if path == "" {
		tb.Fatalf("the server on %s names no authority", s.Addr)
	}
	return path
}

// nodeUsers are the nodes' users in a Redis.
func nodeUsers(client *redis.Client) []string {
	var found []string
	for _, user := range client.Do(context.Background(), "ACL", "USERS").Val().([]any) {
		if name := user.(string); strings.HasPrefix(name, "aorta-") {
			found = append(found, name)
		}
	}
	return found
}

// readyz is what the daemon says of its roles.
func (c *cluster) readyz() (int, string) {
	resp, err := http.Get(c.api + "/readyz")
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

func (c *cluster) becomesReady() {
	c.tb.Helper()
	testkit.Eventually(c.tb, "the daemon to be ready", func() bool {
		status, _ := c.readyz()
		return status == http.StatusOK
	})
}

// ends waits until a pushed commit serves alone.
func (p *project) ends(commit string) {
	p.c.tb.Helper()
	testkit.Eventually(p.c.tb, "all operations to end and one container to be left", func() bool {
		return len(p.containers()) == 1 && p.c.idle() // what stops the others begins by itself
	})
	var made []string
	for _, r := range asJSON[[]wire.Release](p.c, "releases", "-a", p.name) {
		if r.Commit == commit {
			made = append(made, r.Release)
		}
	}
	if got := p.release(); len(made) != 1 || got != made[0] {
		p.c.tb.Errorf("got an answer of %s, want the only release of commit %s, of %v", got, commit, made)
	}
}

// A jobs Redis of the operator's own, over TLS: apps are deployed, to a node of
// its own too; restarted without its users in the middle of a deploy it gets
// them again and the deploy finishes; nothing shows its password, and the end of
// the cluster leaves it alone.
func TestExternalJobs_OverTLS(t *testing.T) {
	t.Parallel()
	skipQuick(t)
	server := testkit.RedisTLS(t, append(user("aorta ~* &* +@all"), "--appendonly", "yes")...)
	nodes := testkit.FreeAddr(t)
	c := newCluster(t, "--jobs-redis-url", "rediss://aorta:"+hush+"@"+server.Addr, "--jobs-redis-ca", authority(t, server), "--node-listen", nodes)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	second := c.join("n2", "heart", "https://"+nodes)
	c.aorta("ps", "scale", "-a", "shop", "web=2")
	if got := shop.spread(2); got["n2"] != 1 {
		t.Errorf("got two instances at %v, want one on n2", got)
	}
	c.aorta("ps", "scale", "-a", "shop", "web=1")
	client := server.Client(t)
	users := nodeUsers(client)
	if len(users) != 2 || !strings.HasPrefix(users[0], "aorta-"+c.id()+"-node-") {
		t.Errorf("got users %v, want those of two nodes with the cluster's id %s", users, c.id())
	}
	if _, err := os.Stat(c.dir + "/data/redis/jobs"); err == nil {
		t.Error("a managed jobs Redis was made too")
	}

	shop.write("note.txt", "another release")
	commit := shop.commit("second")
	pushed := make(chan result, 1)
	go func() { pushed <- shop.push() }()
	waitJob(t, client, "{r:builder}")
	server.Kill()
	server.Start(t)
	if r := <-pushed; r.code != 0 {
		t.Errorf("git push over a restart: exit %d\n%s", r.code, r.err)
	}

	shop.ends(commit)
	testkit.Eventually(t, "the nodes' users to be back", func() bool { return sameSet(nodeUsers(client), users) })
	c.becomesReady()
	showsNothing(c, second)
	c.end()
	if err := client.Ping(context.Background()).Err(); err != nil {
		t.Errorf("after aortad stop: got %v, want the Redis alive", err)
	}
}

// showsNothing looks for the password wherever people look.
func showsNothing(c *cluster, others ...*cluster) {
	c.tb.Helper()
	said := map[string]string{"the daemon's log": c.log()}
	for _, n := range others {
		said["the log of another node"] = n.log()
		kept, _ := os.ReadFile(n.dir + "/data/welcome.json")
		said["what a node is told"] = string(kept)
	}
	for _, path := range []string{"/metrics", "/readyz", "/api/openapi.json", "/api/v1/status", "/api/v1/nodes"} {
		said[path] = c.fetch(path)
	}
	config := filepath.Join(c.dir, "check.yml")
	text := "data_dir: " + c.dir + "\njobs_redis_url: redis://:" + hush + "@h\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		c.tb.Fatal(err)
	}
	good := c.run(c.dir, filepath.Join(bin, "aortad"), "check-config", config)
	_ = os.WriteFile(config, []byte(text+"roles: 1\n"), 0o600)
	bad := c.run(c.dir, filepath.Join(bin, "aortad"), "check-config", config)
	if good.code != 0 || bad.code != 3 {
		c.tb.Errorf("check-config: exit %d and %d, want 0 and 3\n%s\n%s", good.code, bad.code, good.err, bad.err)
	}
	said["check-config"] = good.out + good.err + bad.out + bad.err
	for where, text := range said {
		if text == "" || strings.Contains(text, hush) {
			c.tb.Errorf("%s shows the password, or nothing:\n%s", where, text)
		}
	}
}

func (c *cluster) fetch(path string) string {
	c.tb.Helper()
	token, _ := os.ReadFile(c.dir + "/data/admin.token")
	req, _ := http.NewRequest("GET", c.api+path, nil)
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return string(body)
}

// What can't become good by waiting is refused at the start, with its cause.
func TestExternalJobs_UnfitIsRefused(t *testing.T) {
	t.Parallel()
	skipQuick(t)
	port := map[string]string{}
	serve := func(name string, extra ...string) {
		port[name] = testkit.FreePort(t)
		testkit.Redis(t, asAorta(port[name], extra...)...)
	}
	serve("good")
	serve("replica", "--replicaof", "127.0.0.1 "+port["good"])
	serve("evicting", "--maxmemory-policy", "allkeys-lru")
	serve("limited", user("limited ~* &* +@all -acl")...)
	serve("deaf", user("limited ~* resetchannels +@all")...)
	sharded := testkit.RedisCluster(t, user("aorta ~* &* +@all")...)
	secured := testkit.RedisTLS(t, user("aorta ~* &* +@all")...)
	limited := func(name string) string { return strings.Replace(ownURL(port[name]), "aorta", "limited", 1) }
	c := unstarted(t)

	for name, refused := range map[string]struct{ url, want string }{
		"replica":             {ownURL(port["replica"]), "is a replica of 127.0.0.1:" + port["good"] + " and takes no writes: name its master"},
		"evicting":            {ownURL(port["evicting"]), "(maxmemory-policy allkeys-lru), and jobs with them: set it to noeviction"},
		"too old":             {ownURL(older(t, port["good"])), "is Redis 6.9.99, and the nodes' users need 7.0 or later: update it"},
		"no ACL":              {limited("limited"), "does not let its user of jobs_redis_url ACL SETUSER (NOPERM"},
		"no channels":         {limited("deaf"), "does not let its user of jobs_redis_url PUBLISH (NOPERM"},
		"wrong password":      {strings.Replace(ownURL(port["good"]), hush, hush+"x", 1), "refuses us: WRONGPASS"},
		"no such database":    {ownURL(port["good"]) + "/16", "DB index is out of range"},
		"sharded, database 1": {"redis://aorta:" + hush + "@" + sharded.Addrs[0] + "/1", "SELECT is not allowed in cluster mode"},
		"not sharded":         {ownURL(port["good"]) + ",127.0.0.1:" + port["evicting"], "is no member of a Redis Cluster"},
		"unknown authority":   {"rediss://aorta:" + hush + "@" + secured.Addr, "can't be trusted: x509: certificate signed by unknown authority"},
	} {
		r := c.startsNot("--jobs-redis-url", refused.url)

		if r.code != 3 || !strings.Contains(r.err, refused.want) || !strings.Contains(r.err, "jobs Redis at 127.0.0.1:") || strings.Contains(r.out+r.err, hush) {
			t.Errorf("%s: exit %d\n%s\nwant exit 3, %q and no password", name, r.code, r.err, refused.want)
		}
	}
	r := c.startsNot("--jobs-redis-url", "rediss://h", "--jobs-redis-ca", "/nonexistent")
	if r.code != 3 || !strings.Contains(r.err, "jobs_redis_ca: can't be read") {
		t.Errorf("no authority: exit %d\n%s", r.code, r.err)
	}
}

// startsNot starts the daemon with further flags, and gives how it ended.
func (c *cluster) startsNot(flags ...string) result {
	c.tb.Helper()
	before, begin := c.flags, len(c.log())
	defer func() { c.flags = before }()
	c.flags = append(slices.Clone(before), flags...)
	if c.startUntil("ready") && !c.ended() {
		c.kill()
		c.tb.Errorf("with %v: the daemon starts", flags)
	}
	return result{err: c.log()[begin:], code: c.cmd.ProcessState.ExitCode()}
}

// older lets a server be reached as an older version of itself.
func older(tb testing.TB, port string) string {
	tb.Helper()
	return portOf(tb, relay(tb, "127.0.0.1:"+port, "redis_version:7.0.15", "redis_version:6.9.99"))
}

// A jobs Redis belongs to one cluster.
func TestExternalJobs_OfAnotherClusterIsRefused(t *testing.T) {
	t.Parallel()
	skipQuick(t)
	port := testkit.FreePort(t)
	testkit.Redis(t, asAorta(port)...)
	first := newCluster(t, "--jobs-redis-url", ownURL(port))
	other := unstarted(t, "--jobs-redis-url", ownURL(port))

	r := other.startsNot()

	if want := "belongs to another pacemaker"; r.code != 3 || !strings.Contains(r.err, want) || !strings.Contains(r.err, first.id()) {
		t.Errorf("exit %d\n%s\nwant exit 3, %q and the first cluster's id %s", r.code, r.err, want, first.id())
	}
	shop := first.newApp("shop", "hello")
	shop.deploy()
}

// The daemon comes up while its jobs Redis is away, says so, and goes on by
// itself: at its very first start, and later.
func TestExternalJobs_AwayAtTheStart(t *testing.T) {
	t.Parallel()
	skipQuick(t)
	port := testkit.FreePort(t)
	server := testkit.Redis(t, asAorta(port, "--appendonly", "yes")...)
	server.Kill()
	c := unstarted(t, "--jobs-redis-url", ownURL(port))

	if !c.startUntil("pacemaker: API on " + c.api) {
		t.Fatalf("the daemon ended:\n%s", c.log())
	}
	status, body := c.readyz()
	if want := "the jobs Redis at 127.0.0.1:" + port + " does not answer; jobs wait until it does"; status != 503 || !strings.Contains(strings.ToLower(body), strings.ToLower(want)) {
		t.Errorf("readyz: got %d %s, want 503 that says %q", status, body, want)
	}
	c.aorta("nodes") // the rest of the API works
	server.Start(t)
	testkit.Eventually(t, "the daemon to say ready", func() bool { return strings.Contains(c.log(), "\nready\n") })
	c.becomesReady()
	shop := c.newApp("shop", "hello")
	shop.deploy()

	c.kill()
	server.Kill()
	c.start() // it knows by now what to wait for
	shop.serve(5)
	if status, body := c.readyz(); status != 503 || !strings.Contains(body, "does not answer") {
		t.Errorf("readyz at the next start: got %d %s, want 503", status, body)
	}
	shop.write("note.txt", "another release")
	commit := shop.commit("second")
	pushed := make(chan result, 1)
	go func() { pushed <- shop.push() }()
	testkit.Eventually(t, "the push to wait for its jobs", func() bool {
		return strings.Contains(c.aorta("jobs", "--json"), "Deploy “second” to shop")
	})
	server.Start(t)
	if r := <-pushed; r.code != 0 {
		t.Errorf("git push while the jobs are away: exit %d\n%s", r.code, r.err)
	}
	shop.ends(commit)
}

// A cluster that has run on its managed jobs Redis goes over to another with
// its nodes, and the managed one ends.
func TestExternalJobs_TakesOver(t *testing.T) {
	t.Parallel()
	nodes := testkit.FreeAddr(t)
	c := newCluster(t, "--node-listen", nodes)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	second := c.join("n2", "heart", "https://"+nodes)
	port := testkit.FreePort(t)
	testkit.Redis(t, asAorta(port)...)

	c.term()
	c.flags = append(c.flags, "--jobs-redis-url", ownURL(port))
	c.start()
	testkit.Eventually(t, "the other node to follow", func() bool {
		log := second.log()
		return strings.Contains(log, "the jobs are in another Redis now") && strings.Contains(log, "the pacemaker answers again")
	})

	c.aorta("ps", "scale", "-a", "shop", "web=2")
	if got := shop.spread(2); got["n2"] != 1 {
		t.Errorf("got two instances at %v, want one on n2", got)
	}
	if pid, err := c.recorded("redis-jobs"); err == nil {
		t.Errorf("the managed jobs Redis is still process %d", pid)
	}
}

// A Redis Cluster keeps jobs too, named by one member or by some.
func TestExternalJobs_RedisCluster(t *testing.T) {
	t.Parallel()
	skipQuick(t)
	sharded := testkit.RedisCluster(t, append(user("aorta ~* &* +@all"), "--appendonly", "yes")...)
	c := newCluster(t, "--jobs-redis-url", "redis://aorta:"+hush+"@"+sharded.Addrs[0])
	shop := c.newApp("shop", "hello")
	shop.deploy()

	sharded.Restart(t, 1)
	shop.write("note.txt", "another release")
	commit := shop.commit("second")
	shop.deploy()

	shop.ends(commit)
	for _, m := range sharded.Masters {
		client := m.Client(t)
		testkit.Eventually(t, "the node's user on each of the masters", func() bool { return len(nodeUsers(client)) == 1 })
	}
	c.term()
	c.flags = append(c.flags, "--jobs-redis-url", "redis://aorta:"+hush+"@"+strings.Join(sharded.Addrs[1:], ","))
	c.start()
	c.becomesReady()
	c.aorta("ps", "scale", "-a", "shop", "web=2")
	shop.running(2)
}

func portOf(tb testing.TB, addr string) string {
	tb.Helper()
	_, port, ok := strings.Cut(addr, ":")
	if !ok {
		tb.Fatalf("%s has no port", addr)
	}
	return port
}
