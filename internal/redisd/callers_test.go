package redisd

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
)

// crowd connects without a log-in until the server takes no more, and stays.
func crowd(t *testing.T, s *Server, most int) {
	t.Helper()
	for range most {
		conn, err := net.Dial("tcp", s.cfg.Addresses[0])
		if err != nil {
			t.Fatalf("connect: %v", err)
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
}

func TestServer_StrangersTakeNoConnectionsOfOthers(t *testing.T) {
	t.Parallel()
	cfg := withTCP(t, config(testkit.ShortDir(t), "jobs"))
	cfg.Users = []User{{Name: "node", Password: "p", Rules: "+ping", On: true}}
	cfg.Extra = []string{fmt.Sprintf("maxclients %d", 2*maxEach)}
	s := runServer(t, cfg)
	node := as(t, s, "node", "p")
	node.Options().Network, node.Options().Addr = "tcp", cfg.Addresses[0]
	held := node.Conn()
	testkit.Must(t, held.Ping(t.Context()).Err())
	testkit.Eventually(t, "the server to be watched", func() bool {
		list, err := s.Client().ClientList(t.Context()).Result()
		return err == nil && strings.Contains(list, "cmd=client|list")
	})

	crowd(t, s, 3*maxEach)

	testkit.Eventually(t, "room for others", func() bool { return s.Check(t.Context()) == nil })
	testkit.Eventually(t, "those that do not log in to be gone", func() bool {
		list, err := s.Client().ClientList(t.Context()).Result()
		return err == nil && !strings.Contains(list, "user=default")
	})
	if err := held.Ping(t.Context()).Err(); err != nil {
		t.Errorf("who has logged in: got %v, want its connection as it was", err)
	}
	testkit.Must(t, held.Close())
}

func TestSurplus_KeepsTheOldestOfEach(t *testing.T) {
	t.Parallel()
	var list strings.Builder
	add := func(first, count int, addr, user string, age time.Duration) {
		for id := first; id < first+count; id++ {
			fmt.Fprintf(&list, "id=%d addr=%s name= age=%d user=%s lib-name=\n", id, addr, int(age.Seconds()), user)
		}
	}
	add(1000, maxEach+2, "10.0.0.2:4000", "node-a", time.Hour)
	add(2000, maxEach+3, "10.0.0.3:4000", "default", time.Second)
	add(3000, 1, "10.0.0.4:4000", "default", strangerAge)
	add(4000, 1, "10.0.0.4:4000", "default", strangerAge+time.Second)
	add(5000, maxEach, "[fd00::1]:4000", "default", 0)
	add(6000, 1, "[fd00::2]:4000", "default", 0)
	add(7000, 2*maxEach, "/run/jobs.sock:0", "default", time.Hour)
	add(8000, 2*maxEach, "10.0.0.5:4000", adminUser, time.Hour)

	var got []int64
	for _, c := range surplus(callers(list.String())) {
		got = append(got, c.id)
	}

	want := []int64{1000 + maxEach, 1001 + maxEach, 2000 + maxEach, 2001 + maxEach, 2002 + maxEach, 4000, 6000}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("turned away: got %v, want %v", got, want)
	}
}
