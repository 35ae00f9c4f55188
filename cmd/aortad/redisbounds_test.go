package main_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

// No node fills the machine by what it may write, and who looks hears that one tried.
func TestMasters_AreBounded(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	testkit.Eventually(t, "a cluster in order", c.healthy)

	for _, name := range []string{"routes", "jobs", "stats"} {
		set, err := c.redis(name).ConfigGet(t.Context(), "maxmemory*").Result()
		if limit, _ := strconv.Atoi(set["maxmemory"]); err != nil || limit < 256<<20 || set["maxmemory-policy"] != "noeviction" {
			t.Errorf("the %s Redis: got %v, %v; want a limit of 256 MB or more that throws nothing away", name, set, err)
		}
	}
	jobs := c.redis("jobs")
	if err := jobs.Set(t.Context(), "x", strings.Repeat("x", 5<<20), 0).Err(); err == nil || jobs.Exists(t.Context(), "x").Val() != 0 {
		t.Errorf("a command of 5 MB to the jobs Redis: got %v and the key, want it refused", err)
	}
	limit := jobs.ConfigGet(t.Context(), "maxmemory").Val()["maxmemory"]
	testkit.Must(t, jobs.ConfigSet(t.Context(), "maxmemory", "1mb").Err())

	testkit.Eventually(t, "the full Redis to be named", func() bool {
		return strings.Contains(c.aorta("status"), "The jobs Redis is full: it holds")
	})

	testkit.Must(t, jobs.ConfigSet(t.Context(), "maxmemory", limit).Err())
	testkit.Eventually(t, "a cluster in order again", c.healthy)
}

// A router that is not to be believed keeps nobody from being counted, and is named.
func TestStatistics_ARouterThatFillsThemIsShutOutAndNamed(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	testkit.Eventually(t, "a cluster in order", c.healthy)
	redis := c.redis("stats")
	users, err := redis.Do(t.Context(), "ACL", "USERS").StringSlice()
	testkit.Must(t, err)
	at := slices.IndexFunc(users, func(name string) bool { return strings.HasPrefix(name, "tailer-") })
	if at < 0 {
		t.Fatalf("got %q, want the user of a router", users)
	}
	inbox := "{s:03}:in:" + strings.TrimPrefix(users[at], "tailer-")

	testkit.Must(t, redis.Append(t.Context(), inbox, strings.Repeat("x", 33<<20)).Err())

	testkit.Eventually(t, "the router to be named", func() bool {
		return strings.Contains(c.aorta("status"), "The router on "+c.nodes()[0].Name+" wrote into the statistics Redis what no router does")
	})
	left, err := redis.Do(t.Context(), "ACL", "USERS").StringSlice()
	testkit.Must(t, err)
	if slices.Contains(left, users[at]) || redis.Exists(t.Context(), inbox).Val() != 0 {
		t.Errorf("got the users %q, want the router's taken away, and what it wrote", left)
	}
}
