package main_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
)

// steady is a load under which nothing may fail while a Redis does.
var steady = rate{gets: 40, posts: 10}

// The last good routing table serves whatever becomes of the routes master: it comes
// back with its data, empty, and as it was a release ago. Within 5 s the table is there
// again.
func TestRedis_RoutesMasterKilled(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(c *cluster, older string){
		"with its data": func(*cluster, string) {},
		"empty":         func(c *cluster, _ string) { c.forget("routes") },
		"older": func(c *cluster, older string) {
			c.forget("routes")
			testkit.Must(t, os.CopyFS(c.redisDir("routes"), os.DirFS(older)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			shop := c.newApp("shop", "hello")
			shop.deploy()
			older := filepath.Join(t.TempDir(), "routes")
			c.copyTable(older)
			shop.commit("second")
			shop.deploy()
			published := c.published()
			begin := time.Now()
			l := shop.underLoad(steady)
			l.more(25)

			lose(c, older)
			c.killRedis("routes")

			testkit.Eventually(t, "the table to be published anew", func() bool { return c.published() > published })
			shop.commit("third")
			shop.deploy()
			if got := shop.release(); got != "v3" {
				t.Errorf("after the deploy: got %s, want v3", got)
			}
			l.more(25)
			keepsTo(t, l.end(1), []change{{begin, 2}}) // 1: the one that asked for the release
		})
	}
}

// redisDir is where a managed Redis has its data.
func (c *cluster) redisDir(name string) string { return filepath.Join(c.dir, "data/redis", name) }

// copyTable copies what the routes master has on disk by now.
func (c *cluster) copyTable(to string) {
	c.tb.Helper()
	testkit.Must(c.tb, os.CopyFS(filepath.Join(to, "appendonlydir"), os.DirFS(filepath.Join(c.redisDir("routes"), "appendonlydir"))))
}

// published is the generation in the routes master, 0 without one.
func (c *cluster) published() int64 {
	c.tb.Helper()
	n, err := c.redis("routes").HGet(context.Background(), "routes:meta", "generation").Int64()
	if err != nil {
		return 0 // away, or empty
	}
	return n
}

// forget removes what a Redis has on disk, under it.
func (c *cluster) forget(name string) {
	c.tb.Helper()
	dir := c.redisDir(name)
	kept, _ := filepath.Glob(dir + "/appendonlydir/*")
	dumps, _ := filepath.Glob(dir + "/*.rdb")
	if len(kept) == 0 {
		c.tb.Fatalf("no append-only file of %s in %s", name, dir)
	}
	for _, path := range append(kept, dumps...) {
		if err := os.Remove(path); err != nil {
			c.tb.Fatal(err)
		}
	}
}

// killRedis kills a Redis and waits until another process has its place.
func (c *cluster) killRedis(name string) {
	c.tb.Helper()
	pid := c.pidOf("redis-" + name)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		c.tb.Fatal(err)
	}
	client := c.redis(name)
	testkit.Eventually(c.tb, "another process of redis "+name, func() bool {
		text, err := client.Info(context.Background(), "server").Result()
		return err == nil && !strings.Contains(text, fmt.Sprintf("process_id:%d\r", pid))
	})
}

// A deploy whose jobs are lost in the middle, or their Redis with its last
// second, is finished all the same, once.
func TestRedis_JobsLostInTheMiddleOfADeploy(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	client := c.redis("jobs")
	for name, lose := range map[string]func(){
		"killed": func() { c.killRedis("jobs") },
		"wiped":  func() { client.FlushAll(context.Background()) },
	} {
		for _, queue := range []string{"{r:builder}", "{r:pacemaker}", "{n:*}"} {
			shop.write("note.txt", name+queue)
			commit := shop.commit(name + " in " + queue)
			pushed := make(chan result, 1)
			go func() { pushed <- shop.push() }()
			waitJob(t, client, queue)

			lose()

			if r := <-pushed; r.code != 0 {
				t.Errorf("%s with a job in %s: git push: exit %d\n%s", name, queue, r.code, r.err)
			}
			shop.settled(commit)
		}
	}
}

func waitJob(t *testing.T, client *redis.Client, queue string) {
	t.Helper()
	testkit.Eventually(t, "a job in "+queue, func() bool {
		keys, err := client.Keys(context.Background(), queue+":j:*").Result()
		return err == nil && len(keys) > 0
	})
}

// Requests that are made while the statistics are away for ten seconds are
// counted once they are back.
func TestRedis_StatsAwayForTenSeconds(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	l := shop.underLoad(steady)
	l.more(25)

	from, killed, meanwhile := time.Now(), 0, said{}
	testkit.Eventually(t, "ten seconds without statistics", func() bool {
		// Each process that takes its place dies too.
		pid, _ := c.recorded("redis-stats")
		if pid != 0 && pid != killed && syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed = pid
			meanwhile = c.call("GET", "/apps/shop/stats", "")
		}
		return time.Now().After(from.Add(10 * time.Second))
	})
	if want := "the statistics do not answer"; meanwhile.status != 503 || meanwhile.header.Get("Retry-After") == "" || !strings.Contains(meanwhile.body, want) {
		t.Errorf("statistics meanwhile: got %+v, want 503 with Retry-After that says %q", meanwhile, want)
	}
	testkit.Eventually(t, "the statistics to answer again", func() bool {
		return c.run(c.dir, "aorta", "stats", "-a", "shop").code == 0
	})
	l.more(25)

	l.end(0)
}
