package openresty

import (
	"bufio"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"aorta/internal/testkit"
)

// No request waits for a replica that hangs, or that is still loading its data; a
// worker that is born meanwhile has the table too. Once it answers, the table is
// followed.
func TestNginx_NoRequestWaitsForTheReplica(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct {
		what        string
		begin, mend func(*rig)
	}{
		{
			"hangs", func(r *rig) { testkit.Must(r.tb, syscall.Kill(r.redis.Pid(), syscall.SIGSTOP)) },
			func(r *rig) { testkit.Must(r.tb, syscall.Kill(r.redis.Pid(), syscall.SIGCONT)) },
		},
		{"loads its data", (*rig).beginLoading, (*rig).endLoading},
	} {
		t.Run(fault.what, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			a, b := newApp(t, nil), newApp(t, nil)
			record := route("a.example.com", a)
			r.publish(record)
			before := r.status().Workers

			fault.begin(r)
			stop := r.getters(2, "a.example.com")
			testkit.Must(t, syscall.Kill(before[0].PID, syscall.SIGQUIT))
			testkit.Eventually(t, "a worker that is born meanwhile to take requests", func() bool {
				s, err := r.nginx.Status(t.Context())
				return err == nil && len(s.Workers) == 2 && replaced(Status{Workers: before[:1]}, s)
			})
			sent, failed := stop()
			fault.mend(r)

			if failed != 0 || sent == 0 {
				t.Errorf("got %d of %d failed, want 0", failed, sent)
			}
			record.Groups[0] = group(1, b)
			r.publish(record)
			if _, body := r.do("GET", "a.example.com"); body != b.ID {
				t.Errorf("got %s, want the new route", body)
			}
		})
	}
}

// aside is where the replica's socket is while another server is in its place.
func (r *rig) aside() string { return r.redis.Socket + ".aside" }

// beginLoading puts a server in the replica's place that answers as one that loads
// its data.
func (r *rig) beginLoading() {
	r.tb.Helper()
	testkit.Must(r.tb, os.Rename(r.redis.Socket, r.aside()))
	testkit.Must(r.tb, r.rdb.ClientKillByFilter(r.tb.Context(), "TYPE", "normal", "SKIPME", "yes").Err())
	testkit.Must(r.tb, r.rdb.ClientKillByFilter(r.tb.Context(), "TYPE", "pubsub").Err())
	listener, err := net.Listen("unix", r.redis.Socket)
	testkit.Must(r.tb, err)
	testkit.Must(r.tb, os.Chmod(r.redis.Socket, 0o777))
	r.tb.Cleanup(func() { _ = listener.Close() })
	go func() { // ends with the listener
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go load(conn)
		}
	}()
}

func (r *rig) endLoading() { testkit.Must(r.tb, os.Rename(r.aside(), r.redis.Socket)) }

// load answers every command; it ends with the connection.
func load(conn net.Conn) {
	defer conn.Close()
	for in := bufio.NewReader(conn); ; {
		line, err := in.ReadString('\n')
		if err == nil && line[0] == '*' {
			_, err = io.WriteString(conn, "-LOADING Redis is loading the dataset in memory\r\n")
		}
		if err != nil {
			return
		}
	}
}
