//go:build apps

package scripts_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
)

// inside runs a command in the container of the app's first instance.
func (v *visit) inside(command ...string) string {
	v.Helper()
	engine, running := v.engine(), v.instances()
	if len(running) == 0 {
		v.Fatalf("no instance runs: %s", v.aorta("ps"))
	}
	made, err := engine.ExecCreate(v.Context(), running[0].ID, client.ExecCreateOptions{Cmd: command, AttachStdout: true, AttachStderr: true})
	testkit.Must(v.T, err)
	attached, err := engine.ExecAttach(v.Context(), made.ID, client.ExecAttachOptions{})
	testkit.Must(v.T, err)
	defer attached.Close()
	var said bytes.Buffer
	_, err = stdcopy.StdCopy(&said, &said, attached.Reader)
	testkit.Must(v.T, err)
	return strings.TrimSpace(said.String())
}

// hearsEachEvent: an event comes before the next one is made.
func hearsEachEvent(v *visit) {
	resp, err := sender.Do(v.request(v.T, v.app.name, "GET", "/events"))
	testkit.Must(v.T, err)
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	for _, want := range []string{"listening", "one", "two"} {
		if want != "listening" {
			v.send("POST", "/news/"+want, nil, "")
		}
		if got := nextEvent(lines); got != "data: "+want {
			v.Fatalf("an event: got %q, %v; want %q", got, lines.Err(), want)
		}
	}
}

// nextEvent skips the empty lines between events.
func nextEvent(lines *bufio.Scanner) string {
	for lines.Scan() {
		if lines.Text() != "" {
			break
		}
	}
	return lines.Text()
}

// person is somebody in the chat.
type person struct {
	*visit
	conn net.Conn
	in   *bufio.Reader
}

// joins opens a websocket by hand.
func (v *visit) joins() *person {
	v.Helper()
	conn, err := net.Dial("tcp", v.router)
	testkit.Must(v.T, err)
	v.Cleanup(func() { _ = conn.Close() })
	req := v.request(v.T, v.app.name, "GET", "/chat")
	for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		req.Header.Set(name, value)
	}
	testkit.Must(v.T, req.Write(conn))
	p := &person{visit: v, conn: conn, in: bufio.NewReader(conn)}
	resp, err := http.ReadResponse(p.in, req)
	testkit.Must(v.T, err)
	if resp.StatusCode != http.StatusSwitchingProtocols {
		v.Fatalf("a websocket: got %s, want 101", resp.Status)
	}
	return p
}

// says sends a frame of text below 126 bytes, masked with zeros.
func (p *person) says(text string) {
	p.Helper()
	_, err := p.conn.Write(append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...))
	testkit.Must(p.T, err)
}

// hears gives the kind of the next frame and what is in it.
func (p *person) hears() (kind byte, text string) {
	p.Helper()
	var head [2]byte
	_, err := io.ReadFull(p.in, head[:])
	testkit.Must(p.T, err)
	body := make([]byte, head[1])
	_, err = io.ReadFull(p.in, body)
	testkit.Must(p.T, err)
	return head[0] & 0x0f, string(body)
}

// chats: both hear what one says. A websocket is a request in flight: the
// instance that a change replaces has it until the drain's limit, then it is
// asked to end and says goodbye.
func chats(v *visit) {
	ada, bob := v.joins(), v.joins()
	ada.says("hello")
	for _, p := range []*person{ada, bob} {
		if _, text := p.hears(); text != "hello" {
			v.Errorf("a message: got %q", text)
		}
	}
	v.aorta("ps", "restart")
	ada.says("still here")
	if _, text := bob.hears(); text != "still here" {
		v.Errorf("a message to who stayed with the old instance: got %q", text)
	}
	const goodbye, away = 8, 1001
	_, _ = ada.hears()
	if kind, text := ada.hears(); kind != goodbye || binary.BigEndian.Uint16([]byte(text)) != away {
		v.Errorf("the end of the old instance: got kind %d, %q; want a close with 1001", kind, text)
	}
}

// h2c speaks HTTP/2 without TLS, as gRPC does.
var h2c = func() *http.Client {
	var only http.Protocols
	only.SetUnencryptedHTTP2(true)
	return &http.Client{Timeout: testkit.Hang, Transport: &http.Transport{Protocols: &only}}
}()

// hello calls Greeter/Hello at an address by gRPC.
func (v *visit) hello(address string) (string, error) {
	v.Helper()
	message := "Ada"
	body := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
	req := v.request(v.T, v.app.name, "POST", "/Greeter/Hello")
	req.URL.Host = address
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("TE", "trailers")
	resp, err := h2c.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || len(answer) < 5 || resp.Trailer.Get("Grpc-Status") != "0" {
		return "", fmt.Errorf("%s, %w, %q, trailers %v", resp.Status, err, answer, resp.Trailer)
	}
	return string(answer[5:]), nil
}

// callsByGRPC calls the instance at its own port: the router speaks no HTTP/2.
func callsByGRPC(v *visit) string {
	v.Helper()
	said, err := v.hello(v.instances()[0].Address)
	testkit.Must(v.T, err)
	return said
}

// isNoAppForTheRouter: docs/APPS.md says that gRPC does not pass; who tries gets
// an answer at once.
func isNoAppForTheRouter(v *visit) {
	if said, err := v.hello(v.router); err == nil {
		v.Errorf("gRPC through the router: got %q; say so in docs/APPS.md", said)
	}
}

// asksPostgres asks as a user with a password does, by TCP.
func asksPostgres(v *visit) string {
	v.Helper()
	return v.psql("show cluster_name")
}

func (v *visit) psql(query string) string {
	v.Helper()
	testkit.Eventually(v.T, "postgres is ready", func() bool { return strings.Contains(v.inside("pg_isready"), "accepting connections") })
	return v.inside("psql", "-U", "postgres", "-Atc", query)
}

// keepsRows: a table lives as long as the instance.
func keepsRows(v *visit) {
	v.psql("create table t (n int); insert into t select generate_series(1, 1000)")
	if got := v.psql("select sum(n) from t"); got != "500500" {
		v.Errorf("a sum of rows: got %q, want 500500", got)
	}
	if got := v.inside("stat", "-c", "%U", "/data/pg"); got != "postgres" {
		v.Errorf("the owner of the data: got %q", got)
	}
}

func (v *visit) redis() *redis.Client {
	v.Helper()
	c := redis.NewClient(&redis.Options{Addr: v.instances()[0].Address})
	v.Cleanup(func() { _ = c.Close() })
	return c
}

func asksRedis(v *visit) string {
	v.Helper()
	got, err := v.redis().ConfigGet(v.Context(), "proc-title-template").Result()
	testkit.Must(v.T, err)
	return got["proc-title-template"]
}

// keepsKeys: its port on the node is its own, beside the router.
func keepsKeys(v *visit) {
	c := v.redis()
	testkit.Must(v.T, c.Set(v.Context(), "greeting", "hello", 0).Err())
	if got, err := c.Get(v.Context(), "greeting").Result(); got != "hello" || err != nil {
		v.Errorf("a key: got %q, %v", got, err)
	}
}
