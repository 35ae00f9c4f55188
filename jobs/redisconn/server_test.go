package redisconn

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestServer_CheckNamesWhatIsWrong(t *testing.T) {
	good := server{version: "7.0.15", role: "master", eviction: "noeviction", appendOnly: true}
	for name, c := range map[string]struct {
		change    func(*server)
		asCluster bool
		want      string // empty: nothing is wrong
	}{
		"good":                   {func(*server) {}, false, ""},
		"newer":                  {func(s *server) { s.version = "10.1.0" }, false, ""},
		"a cluster":              {func(s *server) { s.cluster = true }, true, ""},
		"older":                  {func(s *server) { s.version = "6.2.14" }, false, "update it"},
		"no version":             {func(s *server) { s.version = "" }, false, "update it"},
		"a Sentinel":             {func(s *server) { s.sentinel = true }, false, "name the master"},
		"a replica":              {func(s *server) { s.role, s.master = "slave", "h:1" }, false, "is a replica of h:1"},
		"evicting":               {func(s *server) { s.eviction = "volatile-lru" }, false, "noeviction"},
		"a cluster now":          {func(s *server) { s.cluster = true }, false, "start aortad again"},
		"not a cluster any more": {func(*server) {}, true, "no member of a Redis Cluster"},
	} {
		s := good
		c.change(&s)

		err := s.check("it", c.asCluster)

		if c.want == "" && err != nil || c.want != "" && (!isIncompatible(err) || !strings.HasPrefix(err.Error(), "it ") || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestAskServer_ReadsWhatItSays(t *testing.T) {
	master := testkit.Redis(t, "--port", "0", "--appendonly", "yes")
	port := testkit.FreePort(t)
	evicting := testkit.Redis(t, "--port", port, "--bind", "127.0.0.1", "--maxmemory-policy", "allkeys-lru", "--cluster-enabled", "yes", "--cluster-port", testkit.FreePort(t))
	replica := testkit.Redis(t, "--replicaof", "127.0.0.1 "+port)

	for name, c := range map[string]struct {
		rdb  *redis.Client
		want server
	}{
		"master":  {master.Client(t), server{role: "master", master: ":", eviction: "noeviction", appendOnly: true}},
		"member":  {evicting.Client(t), server{role: "master", master: ":", eviction: "allkeys-lru", cluster: true}},
		"replica": {replica.Client(t), server{role: "slave", master: "127.0.0.1:" + port, eviction: "noeviction"}},
	} {
		got, err := askServer(t.Context(), c.rdb)
		if err != nil {
			t.Fatal(err)
		}

		if got.version == "" || len(got.runID) != 40 {
			t.Errorf("%s: got version %q and run %q, want both", name, got.version, got.runID)
		}
		if got.used <= 0 {
			t.Errorf("%s: got %d bytes in use, want some", name, got.used)
		}
		got.version, got.runID, got.used = "", "", 0
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestExplain_TellsAwayFromIncompatible(t *testing.T) {
	server := testkit.Redis(t, "--user", "aorta", "on", ">hush", "~*", "&*", "+@all")
	away := testkit.Redis(t)
	away.Kill()
	at := func(socket, user, password string) cluster.RedisEndpoint {
		return cluster.RedisEndpoint{Network: "unix", Addr: socket, User: user, Password: password}
	}
	for name, c := range map[string]struct {
		endpoint     cluster.RedisEndpoint
		incompatible bool
		want         string
	}{
		"good":           {at(server.Socket, "aorta", "hush"), false, ""},
		"wrong password": {at(server.Socket, "aorta", "other"), true, "WRONGPASS"},
		"no such user":   {at(server.Socket, "nobody", "hush"), true, "WRONGPASS"},
		"away":           {at(away.Socket, "aorta", "hush"), false, "does not answer; jobs wait until it does"},
	} {
		_, err := ask(testkit.Bounded(t), c.endpoint)
		err = explain("it", err)

		if isIncompatible(err) != c.incompatible || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it incompatible: %t, with %q", name, err, c.incompatible, c.want)
		}
	}
}

func TestGuess_AsksAboutTLS(t *testing.T) {
	secured := testkit.RedisTLS(t)
	port := testkit.FreePort(t)
	testkit.Redis(t, "--port", port, "--bind", "127.0.0.1")
	for want, endpoint := range map[string]cluster.RedisEndpoint{
		"rediss://?":                  {Network: "tcp", Addr: secured.Addr},
		"does it speak TLS":           {Network: "tcp", Addr: "127.0.0.1:" + port, TLS: true},
		"signed by unknown authority": {Network: "tcp", Addr: secured.Addr, TLS: true},
	} {
		ctx := testkit.Bounded(t)
		if endpoint.TLS && endpoint.Addr != secured.Addr {
			ctx = testkit.EndedBy(t, time.Second) // these two wait for one another
		}
		client, err := dial(endpoint, 1)
		testkit.Must(t, err)
		_, err = askServer(ctx, client.(*redis.Client)) // not within the time that there is for one of many
		_ = client.Close()

		if got := explain("it"+guess(endpoint, err), err); got == nil || !strings.Contains(got.Error(), want) {
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

func TestDial_WantsGoodAuthorities(t *testing.T) {
	_, err := dial(cluster.RedisEndpoint{Network: "tcp", Addr: "h:1", TLS: true, CA: "no certificate"}, 1)
	if err == nil || !strings.Contains(err.Error(), "jobs_redis_ca") {
		t.Errorf("got %v, want jobs_redis_ca named", err)
	}

	plain, err := dial(cluster.RedisEndpoint{Network: "tcp", Addr: "h:1"}, 1)
	if _, ok := plain.(*redis.Client); err != nil || !ok {
		t.Errorf("one server: got %T, %v", plain, err)
	}
	sharded, err := dial(cluster.RedisEndpoint{Network: "tcp", Addr: "h:1,h:2", Cluster: true}, 1)
	if c, ok := sharded.(*redis.ClusterClient); err != nil || !ok || len(c.Options().Addrs) != 2 {
		t.Errorf("a Redis Cluster: got %T, %v", sharded, err)
	}
	_, _ = plain.(*redis.Client).Close(), sharded.Close()
}
