package main_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
	_ "modernc.org/sqlite" // the driver "sqlite", to check the database as others would

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// The steps of a deploy, those of the retirement of what it replaced, and the
// points of each at which the daemon can be killed.
var (
	deploySteps = []string{"build", "release", "place", "instance.start", "publish", "deploy"}
	retireSteps = []string{"drain", "instance.stop", "finish"}
	stepPoints  = []string{"taken", "done", "reported", "advanced"}
)

// A daemon killed at any step of a deploy finishes it at its next start, the
// pusher being gone or not: one release, one container, the ref moved and
// nothing left behind. Half of the next starts are killed too, at each step of
// the old release's retirement.
func TestCatchUp_KilledAtEachStepOfADeploy(t *testing.T) {
	t.Parallel()
	for part := range 3 {
		steps := deploySteps[2*part : 2*part+2]
		then := pointsOf(retireSteps)[4*part : 4*part+4]
		t.Run(strings.Join(steps, "+"), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			shop := c.newApp("shop", "hello")
			shop.deploy()
			for i, at := range pointsOf(steps) {
				if i%2 == 0 {
					shop.killedAt(at, "")
				} else {
					shop.killedAt(at, then[i/2])
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

func pointsOf(steps []string) []string {
	var out []string
	for _, step := range steps {
		for _, point := range stepPoints {
			out = append(out, step+":"+point)
		}
	}
	return out
}

// killedAt deploys a commit with a daemon that dies at one point, and once
// more at another if that is named, and checks what is there in the end.
func (p *project) killedAt(at, then string) {
	p.c.tb.Helper()
	p.write("note.txt", at+" then "+then)
	commit := p.commit(at)

	p.c.term()
	p.c.start("AORTAD_CRASH_AT=" + at)
	first := p.push()
	p.c.died(at)
	if then != "" {
		p.c.startUntil("ready", "AORTAD_CRASH_AT="+then)
		p.c.died(then)
	}
	p.c.start()
	again := p.push()

	if again.code != 0 || !containsAny(again.err, "Everything up-to-date", "following it", "is already deployed") {
		p.c.tb.Errorf("killed at %s, then %q: the same push again: exit %d\n%s\nwant it done or followed; the first said:\n%s", at, then, again.code, again.err, first.err)
	}
	p.settled(commit)
	if p.c.tb.Failed() {
		p.c.tb.Logf("it was killed at %s, then %q", at, then)
	}
}

func containsAny(s string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(s, part) })
}

// died waits until the daemon has killed itself.
func (c *cluster) died(at string) {
	c.tb.Helper()
	testkit.Eventually(c.tb, "the daemon to die at "+at, c.ended)
}

// settled checks that a commit serves, alone, and that nothing is open or left.
func (p *project) settled(commit string) {
	p.c.tb.Helper()
	testkit.Eventually(p.c.tb, "all operations to end and one container to be left", func() bool {
		return p.c.idle() && len(p.containers()) == 1 // what stops the others begins by itself
	})
	var made []wire.Release
	for _, r := range asJSON[[]wire.Release](p.c, "releases", "-a", p.name) {
		if r.Commit == commit {
			made = append(made, r)
		}
	}
	if len(made) != 1 || made[0].State != "running" || made[0].Traffic != 100 {
		p.c.tb.Fatalf("got releases %+v of commit %s, want one that runs and has all traffic", made, commit)
	}
	if got := p.release(); got != made[0].Release {
		p.c.tb.Errorf("got an answer of %s, want %s", got, made[0].Release)
	}
	if list := p.ps1(); list.Release != made[0].Release || list.State != "running" {
		p.c.tb.Errorf("got instance %+v, want one of %s that runs", list, made[0].Release)
	}
	if got := p.git("ls-remote", "aorta", "refs/heads/main"); !strings.HasPrefix(got, commit) {
		p.c.tb.Errorf("got ref %q, want it at %s", got, commit)
	}
	p.c.nothingLeft()
}

// idle says whether no operation is open. It asks the API itself: the command
// line takes its time to be polled.
func (c *cluster) idle() bool {
	a := c.call("GET", "/status", "")
	var status wire.Status
	if err := json.Unmarshal([]byte(a.body), &status); a.status != 200 || err != nil {
		c.tb.Fatalf("GET /status: got %+v, %v", a, err)
	}
	return len(status.OpenJobs) == 0
}

// ps1 is the app's only instance.
func (p *project) ps1() wire.Instance {
	p.c.tb.Helper()
	list := p.c.ps(p.name)
	if len(list) != 1 {
		p.c.tb.Fatalf("got instances %+v, want one", list)
	}
	return list[0]
}

// nothingLeft looks for keys of ended trees in the jobs Redis, and at the
// database's integrity.
func (c *cluster) nothingLeft() {
	c.tb.Helper()
	client := c.redis("jobs")
	var left []string
	defer func() {
		if len(left) > 0 {
			c.tb.Logf("the jobs Redis holds %q", left)
		}
	}()
	testkit.Eventually(c.tb, "the jobs Redis to hold no more than its frame", func() bool {
		left = leftovers(c.tb, client)
		return len(left) == 0
	})
	db, err := sql.Open("sqlite", "file:"+c.dir+"/data/aorta.db?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		c.tb.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		c.tb.Errorf("integrity of the database: got %q, %v, want ok", verdict, err)
	}
}

// leftovers names what the jobs Redis holds of jobs.
func leftovers(tb testing.TB, client *redis.Client) []string {
	tb.Helper()
	ctx := context.Background()
	var left []string
	keys, err := client.Keys(ctx, "*").Result()
	if err != nil {
		tb.Fatalf("list the keys of the jobs Redis: %v", err)
	}
	slices.Sort(keys)
	for _, key := range keys {
		switch kind := key[strings.LastIndex(key, "}")+1:]; {
		case kind == ":own", kind == ":queues", kind == ":periodic":
		case kind == ":tree" && isMark(tb, client, key):
		case kind == ":trees":
			left = count(left, key, client.SCard(ctx, key))
		case kind == ":beat":
			left = count(left, key, client.HLen(ctx, key))
		case kind == ":out", strings.HasPrefix(kind, ":q:"):
			left = count(left, key, client.XLen(ctx, key))
		default:
			left = append(left, key)
		}
	}
	return left
}

// isMark says whether a tree's key is only the mark that a keeper makes of a tree
// in the index that isn't there: the one before was killed before it had written
// it, or after it had deleted it. It goes by itself.
func isMark(tb testing.TB, client *redis.Client, key string) bool {
	tb.Helper()
	ctx := context.Background()
	tree, err := client.HExists(ctx, key, "v").Result()
	testkit.Must(tb, err)
	left, err := client.TTL(ctx, key).Result()
	testkit.Must(tb, err)
	return !tree && left > 0
}

func count(left []string, key string, n *redis.IntCmd) []string {
	if n.Val() == 0 {
		return left
	}
	return append(left, fmt.Sprintf("%s (%d)", key, n.Val()))
}

// redis connects to a managed Redis as its admin, by the root secret.
func (c *cluster) redis(name string) *redis.Client {
	c.tb.Helper()
	client := redis.NewClient(testkit.Patient(&redis.Options{
		Network: "unix", Addr: c.runDir() + "/" + name + ".sock", Username: "admin", Password: c.password(name, "admin"),
		DisableIdentity: true, MaxRetries: -1, ContextTimeoutEnabled: true,
	}))
	c.tb.Cleanup(func() { _ = client.Close() })
	return client
}

func (c *cluster) password(server, user string) string {
	c.tb.Helper()
	var secrets struct{ Root string }
	raw, err := os.ReadFile(c.dir + "/data/secrets.json")
	if err == nil {
		err = json.Unmarshal(raw, &secrets)
	}
	if err != nil {
		c.tb.Fatalf("read the root secret: %v", err)
	}
	mac := hmac.New(sha256.New, []byte(secrets.Root))
	mac.Write([]byte(server + "/" + user))
	return hex.EncodeToString(mac.Sum(nil))
}

// An instance that dies while the daemon is away runs again once it is back,
// and takes its traffic.
func TestCatchUp_InstanceDiesWhileTheDaemonIsAway(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	container := shop.containers()[0]

	c.kill()
	c.docker1("kill", container)
	c.start()

	shop.backAlone("v1")
}

// After a restart of the machine everything comes back by itself, and nothing
// that was logged is lost.
func TestCatchUp_MachineRestarts(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	shop.serve(100)
	if lines := shop.allLogged(); lines != 100 {
		t.Fatalf("got %d lines in the log, want 100", lines)
	}
	container := shop.containers()[0]

	c.kill()
	for _, name := range []string{"nginx", "redis-routes-replica", "redis-routes", "redis-jobs", "redis-stats"} {
		pid := c.pidOf(name)
		for _, p := range append(children(t, pid), pid) {
			if err := syscall.Kill(p, syscall.SIGKILL); err != nil {
				t.Fatalf("kill %s: %v", name, err)
			}
		}
	}
	c.docker1("rm", "-f", container)
	c.start()

	shop.backAlone("v1")
	shop.write("note.txt", "afterwards")
	commit := shop.commit("second")
	shop.deploy()
	shop.settled(commit)
	lines := shop.allLogged() // until the workers had the table again, some were no app's
	if lines < 102 {
		t.Errorf("got %d lines in the log, want 102 or more", lines)
	}
	shop.counted(int64(lines))
	c.nothingLeft()
}

// docker1 tells the engine something about one container.
func (c *cluster) docker1(args ...string) {
	c.tb.Helper()
	if r := c.run(c.dir, "docker", append([]string{"-H", c.docker}, args...)...); r.code != 0 {
		c.tb.Fatalf("docker %v: %s", args, r.err)
	}
}

// backAlone waits until a release answers again, of one instance in one
// container.
func (p *project) backAlone(release string) {
	p.c.tb.Helper()
	testkit.Eventually(p.c.tb, release+" to serve again", func() bool { return p.release() == release })
	testkit.Eventually(p.c.tb, "one running instance of "+release+" in one container", func() bool {
		list := p.c.ps(p.name)
		return len(list) == 1 && list[0].State == "running" && list[0].Release == release && len(p.containers()) == 1
	})
}
