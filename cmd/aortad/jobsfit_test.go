package main

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestJudge_NamesWhatIsWrong(t *testing.T) {
	good := map[string]string{
		"redis_version": "7.0.15", "redis_mode": "standalone", "cluster_enabled": "0", "role": "master", "maxmemory_policy": "noeviction",
	}
	for name, c := range map[string]struct {
		but     map[string]string
		sharded bool
		want    string // empty: nothing is wrong
	}{
		"good":                 {nil, false, ""},
		"newer":                {map[string]string{"redis_version": "10.1.0"}, false, ""},
		"sharded":              {map[string]string{"cluster_enabled": "1"}, true, ""},
		"older":                {map[string]string{"redis_version": "6.2.14"}, false, "update it"},
		"no version":           {map[string]string{"redis_version": ""}, false, "update it"},
		"a Sentinel":           {map[string]string{"redis_mode": "sentinel"}, false, "name the master"},
		"a replica":            {map[string]string{"role": "slave", "master_host": "h", "master_port": "1"}, false, "is a replica of h:1"},
		"evicting":             {map[string]string{"maxmemory_policy": "volatile-lru"}, false, "noeviction"},
		"sharded now":          {map[string]string{"cluster_enabled": "1"}, false, "start aortad again"},
		"not sharded any more": {nil, true, "no member of a Redis Cluster"},
	} {
		fields := maps.Clone(good)
		maps.Copy(fields, c.but)

		err := judge("it", fields, c.sharded)

		var no unfit
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &no) || !strings.HasPrefix(err.Error(), "it ") || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestExplain_TellsAwayFromUnfit(t *testing.T) {
	server := testkit.Redis(t, "--user", "aorta", "on", ">hush", "~*", "&*", "+@all")
	away := testkit.Redis(t)
	away.Kill()
	at := func(socket, user, password string) cluster.RedisDoor {
		return cluster.RedisDoor{Network: "unix", Addr: socket, User: user, Password: password}
	}
	for name, c := range map[string]struct {
		door  cluster.RedisDoor
		unfit bool
		want  string
	}{
		"good":           {at(server.Socket, "aorta", "hush"), false, ""},
		"wrong password": {at(server.Socket, "aorta", "other"), true, "WRONGPASS"},
		"no such user":   {at(server.Socket, "nobody", "hush"), true, "WRONGPASS"},
		"away":           {at(away.Socket, "aorta", "hush"), false, "does not answer; jobs wait until it does"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)

		_, err := ask(ctx, c.door)
		err = explain("it", err)

		cancel()
		var no unfit
		if errors.As(err, &no) != c.unfit || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it unfit: %t, with %q", name, err, c.unfit, c.want)
		}
	}
}

func TestGuess_AsksAboutTLS(t *testing.T) {
	secured := testkit.RedisTLS(t)
	port := testkit.FreePort(t)
	testkit.Redis(t, "--port", port, "--bind", "127.0.0.1")
	for want, door := range map[string]cluster.RedisDoor{
		"rediss://?":                  {Network: "tcp", Addr: secured.Addr},
		"does it speak TLS":           {Network: "tcp", Addr: "127.0.0.1:" + port, TLS: true},
		"signed by unknown authority": {Network: "tcp", Addr: secured.Addr, TLS: true},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)

		_, err := ask(ctx, door)

		cancel()
		if got := explain("it"+guess(door, err), err); got == nil || !strings.Contains(got.Error(), want) {
			t.Errorf("got %v, want %q", got, want)
		}
	}
}

func TestProbe_LeavesNothing(t *testing.T) {
	rdb := testkit.Redis(t).Client(t)

	err := probe(t.Context(), rdb, "it", "aorta-x-")

	users, _ := rdb.Do(t.Context(), "ACL", "USERS").StringSlice()
	keys, _ := rdb.DBSize(t.Context()).Result()
	if err != nil || len(users) != 1 || keys != 0 {
		t.Errorf("got %v, users %v and %d keys, want the default user alone", err, users, keys)
	}
}

func TestDialJobs_WantsGoodAuthorities(t *testing.T) {
	_, err := dialJobs(cluster.RedisDoor{Network: "tcp", Addr: "h:1", TLS: true, CA: "no certificate"}, 1)
	if err == nil || !strings.Contains(err.Error(), "jobs_redis_ca") {
		t.Errorf("got %v, want jobs_redis_ca named", err)
	}

	plain, err := dialJobs(cluster.RedisDoor{Network: "tcp", Addr: "h:1"}, 1)
	if _, ok := plain.(*redis.Client); err != nil || !ok {
		t.Errorf("one server: got %T, %v", plain, err)
	}
	sharded, err := dialJobs(cluster.RedisDoor{Network: "tcp", Addr: "h:1,h:2", Cluster: true}, 1)
	if c, ok := sharded.(*redis.ClusterClient); err != nil || !ok || len(c.Options().Addrs) != 2 {
		t.Errorf("a Redis Cluster: got %T, %v", sharded, err)
	}
	_, _ = plain.(*redis.Client).Close(), sharded.Close()
}
