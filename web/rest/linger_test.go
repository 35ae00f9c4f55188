package rest_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/internal/rig"
	"aorta/web/rest"
)

// caller is a client that sends all that it has to say before it reads.
type caller struct {
	tb   testing.TB
	conn net.Conn
	in   *bufio.Reader
}

// call connects: to the nodes' API as the node whose certificate has the name, or to
// the API for people.
func call(r *rig.Rig, tb testing.TB, node string) *caller {
	tb.Helper()
	at := strings.TrimPrefix(r.URL, "http://")
	if node != "" {
		at = strings.TrimPrefix(r.NodesURL, "https://")
	}
	conn, err := net.Dial("tcp", at)
	testkit.Must(tb, err)
	tb.Cleanup(func() { _ = conn.Close() })
	testkit.Must(tb, conn.(*net.TCPConn).SetWriteBuffer(256<<10)) // so that much is still to be sent at the answer
	testkit.Must(tb, conn.SetDeadline(time.Now().Add(testkit.Hang)))
	if node != "" {
		conn = tls.Client(conn, r.Trust(node))
	}
	return &caller{tb, conn, bufio.NewReader(conn)}
}

// send writes a request, its line and its body in the manner.
func (c *caller) send(m manner, line, fields string, body []byte) {
	c.tb.Helper()
	_, err := fmt.Fprintf(c.conn, "%s %s\r\nHost: x\r\n%s%s\r\n", line, m.protocol(), fields, m.fields(len(body)))
	testkit.Must(c.tb, err)
	if m.expects {
		line, err := c.in.ReadString('\n')
		if !strings.HasPrefix(line, "HTTP/1.1 100 ") {
			c.tb.Fatalf("got %q, %v, want to be told to continue", line, err)
		}
		_, err = c.in.Discard(2)
		testkit.Must(c.tb, err)
	}
	var out io.Writer = c.conn
	if m.chunked {
		chunks := httputil.NewChunkedWriter(c.conn)
		defer func() {
			testkit.Must(c.tb, chunks.Close())
			_, err := io.WriteString(c.conn, "\r\n")
			testkit.Must(c.tb, err)
		}()
		out = chunks
	}
	if _, err := out.Write(body); err != nil {
		c.tb.Fatalf("the server did not take the body to its end: %v", err)
	}
}

func (c *caller) receive() rig.Answer {
	c.tb.Helper()
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.tb.Fatalf("got no answer: %v", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.tb.Fatalf("got %s %q and then %v", resp.Status, body, err)
	}
	return rig.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}
}

// manner is one of the ways to send a body.
type manner struct {
	name                          string
	old, closes, chunked, expects bool
}

var manners = []manner{
	{name: "kept alive"},
	{name: "closing", closes: true},
	{name: "HTTP/1.0", old: true, closes: true},
	{name: "in chunks", chunked: true},
	{name: "in chunks, closing", chunked: true, closes: true},
	{name: "told to continue", expects: true},
	{name: "told to continue, closing", expects: true, closes: true},
}

func (m manner) protocol() string {
	if m.old {
		return "HTTP/1.0"
	}
	return "HTTP/1.1"
}

func (m manner) fields(length int) string {
	fields := fmt.Sprintf("Content-Length: %d\r\n", length)
	if m.chunked {
		fields = "Transfer-Encoding: chunked\r\n"
	}
	if m.closes && !m.old {
		fields += "Connection: close\r\n"
	}
	if m.expects {
		fields += "Expect: 100-continue\r\n"
	}
	return fields
}

// refusal is a request that is refused before its body was read to the end.
type refusal struct {
	name, line, fields string
	node               string // whose certificate is shown; empty: the API for people
	limit              int    // of what is read of the body; 0: nothing is
	want               int
}

func refusals(r *rig.Rig) []refusal {
	r.TB.Helper()
	_, err := r.Pace.CreateApp(r.TB.Context(), "shop", "admin")
	testkit.Must(r.TB, err)
	node, token := r.NewNode("n1", cluster.RoleHeart)
	at := rest.Prefix + "/nodes/" + string(node.ID) + "/report"
	bearer := func(token string) string { return "Authorization: Bearer " + token + "\r\n" }
	return []refusal{
		{name: "sign-in, too long", line: "POST /api/v1/session", limit: 16 << 10, want: 413},
		{name: "too long", line: "POST /api/v1/apps", fields: bearer(rig.AdminToken), limit: 4 << 20, want: 413},
		{name: "too long, with a key", line: "POST /api/v1/apps", fields: bearer(rig.AdminToken) + rest.KeyHeader + ": k\r\n", limit: 4 << 20, want: 413},
		{name: "wrong token", line: "POST /api/v1/apps", fields: bearer("x"), want: 401},
		{name: "wrong role", line: "PATCH /api/v1/apps/shop/config", fields: bearer(rig.ViewerToken), want: 403},
		{name: "no archive", line: "POST /api/v1/apps/shop/deploys/archive", fields: bearer(rig.AdminToken), want: 422},
		{name: "node, too long", line: "POST " + at, node: token, limit: 4 << 20, want: 413},
		{name: "another node", line: "POST /api/v1/nodes/x/report", node: token, want: 403},
	}
}

func TestLingering_WhoSendsEverythingFirstHearsTheRefusal(t *testing.T) {
	t.Parallel()
	r := rig.New(t)

	for _, refused := range refusals(r) {
		for _, m := range manners {
			for _, beyond := range []int{100 << 10, 3 << 20} {
				if m.expects && refused.limit == 0 {
					continue // is never told to continue
				}
				if beyond > 1<<20 && refused.limit > 1<<20 {
					continue // is long as it is
				}
				t.Run(fmt.Sprintf("%s, %s, %d", refused.name, m.name, beyond), func(t *testing.T) {
					c := call(r, t, refused.node)

					c.send(m, refused.line, refused.fields, make([]byte, refused.limit+beyond))

					rig.WantProblem(t, c.receive(), refused.want)
					if !m.closes {
						c.send(manner{closes: true}, "GET /api/v1/none", "", nil)
						c.receive()
					}
					if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
						t.Errorf("got %q, %v behind the answer, want the connection closed in order", rest, err)
					}
				})
			}
		}
	}
}

func TestLingering_AsksForNoBodyThatIsRefused(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	c := call(r, t, "")

	_, err := io.WriteString(c.conn, "POST /api/v1/apps HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
	testkit.Must(t, err)

	rig.WantProblem(t, c.receive(), http.StatusUnauthorized)
}

func TestLingering_DoesNotWaitLongForWhoSendsNoMore(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	for _, m := range []manner{{name: "kept alive"}, {name: "closing", closes: true}} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			c := call(r, t, "")

			_, err := fmt.Fprintf(c.conn, "POST /api/v1/apps HTTP/1.1\r\nHost: x\r\n%s\r\n{", m.fields(1000))
			testkit.Must(t, err)

			rig.WantProblem(t, c.receive(), http.StatusUnauthorized)
			if _, err := c.in.ReadByte(); !errors.Is(err, io.EOF) {
				t.Errorf("got %v, want the connection closed", err)
			}
		})
	}
}

func TestLingering_WhoNeverEndsIsCutOffAndHearsWhyWhileSending(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	c := call(r, t, "")
	sent := make(chan int64, 1)
	_, err := io.WriteString(c.conn, "POST /api/v1/apps HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n")
	testkit.Must(t, err)

	go func() { // ends when the server closes, or at the deadline of the connection
		var n int64
		block := make([]byte, 64<<10)
		for {
			k, err := c.conn.Write(block)
			n += int64(k)
			if err != nil {
				sent <- n
				return
			}
		}
	}()

	rig.WantProblem(t, c.receive(), http.StatusUnauthorized)
	const buffers = 16 << 20 // what the kernel holds between the two
	if n := <-sent; n > rest.LingerBytes+buffers {
		t.Errorf("got %d bytes taken, want at most %d and what the kernel holds", n, rest.LingerBytes)
	}
}
