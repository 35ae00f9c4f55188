package openresty

import (
	"bufio"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aorta/internal/testkit"
)

// ask is a request of a session, and what is to become of it.
type ask struct {
	what, method, text string
	status             int
	body               string // of the answer; "" for one of the router's own
	app                string // the app that it counts for, "" for none
	ends               bool   // no other request is served on this connection
	last               bool   // it depends on how much had come whether one is: none is sent
}

// sessionApp answers by the path of a request.
func sessionApp(w http.ResponseWriter, req *http.Request) {
	if req.URL.Path == "/hangup" {
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = conn.Close()
		}
		return
	}
	body, _ := io.ReadAll(req.Body)
	text := sessionAnswer(req.Method, req.RequestURI, string(body))
	switch path, rest, _ := strings.Cut(req.URL.Path[1:], "/"); path {
	case "status":
		status, _ := strconv.Atoi(rest)
		w.WriteHeader(status)
		if status == 204 || status == 304 {
			return
		}
	case "close":
		w.Header().Set("Connection", "close")
	case "chunks":
		for _, b := range []byte(text[1:]) {
			_, _ = w.Write([]byte{b})
			_ = http.NewResponseController(w).Flush()
		}
		return
	}
	_, _ = io.WriteString(w, text)
}

func sessionAnswer(method, uri, body string) string {
	return fmt.Sprintf("%s %s %d:%08x %s", method, uri, len(body), crc32.ChecksumIEEE([]byte(body)), strings.Repeat("x", len(uri)*50))
}

// someAsk is one by chance, of an app that answers as sessionApp does.
func someAsk(rng *rand.Rand, n int, host string) ask {
	head := "Host: " + host + "\r\nX-N: " + strconv.Itoa(n) + "\r\n"
	body := filler(rng, size(rng, oneOf(rng, 100, 300_000)))
	headers, bytes := framed(rng, body)
	plain := func(method, path, headers, bytes string) string {
		return method + " " + path + " HTTP/1.1\r\n" + head + headers + "\r\n" + bytes
	}
	uri := fmt.Sprintf("%s?%d", oneOf(rng, "/echo", "/close", "/chunks"), n)
	answer := func(method, body string) string {
		if strings.HasPrefix(uri, "/chunks") {
			return sessionAnswer(method, uri, body)[1:]
		}
		return sessionAnswer(method, uri, body)
	}
	switch rng.IntN(15) {
	case 0, 1, 2:
		return ask{what: "get", method: "GET", text: plain("GET", uri, "", ""), status: 200, body: answer("GET", ""), app: host}
	case 3, 4, 5:
		return ask{what: "post", method: "POST", text: plain("POST", uri, headers, bytes), status: 200, body: answer("POST", body), app: host}
	case 6:
		status := oneOf(rng, 201, 301, 400, 404, 500, 502, 503, 599)
		uri = fmt.Sprintf("/status/%d?%d", status, n)
		return ask{what: "own status", method: "PUT", text: plain("PUT", uri, headers, bytes), status: status, body: answer("PUT", body), app: host}
	case 7:
		status := oneOf(rng, 204, 304)
		return ask{what: "no body", method: "DELETE", text: plain("DELETE", fmt.Sprintf("/status/%d", status), "", ""), status: status, app: host}
	case 8:
		return ask{what: "head", method: "HEAD", text: plain("HEAD", uri, "", ""), status: 200, app: host}
	case 9:
		return ask{what: "expect", method: "POST", text: plain("POST", uri, "Expect: 100-continue\r\n"+headers, bytes), status: 200, body: answer("POST", body), app: host}
	case 10:
		return ask{what: "last by the client", method: "GET", text: plain("GET", uri, "Connection: close\r\n", ""), status: 200, body: answer("GET", ""), app: host, ends: true}
	}
	return routersOwn(rng, head, host)
}

// routersOwn is answered by the router itself.
func routersOwn(rng *rand.Rand, head, host string) ask {
	to := func(host, headers string) string {
		return "GET / HTTP/1.1\r\nHost: " + host + "\r\n" + headers + "\r\n"
	}
	all := []ask{
		{what: "unknown host", text: to("unknown.example.com", ""), status: 404},
		{what: "bad host", text: to("a_b.example.com", ""), status: 400},
		{what: "no instance", text: to("empty.example.com", ""), status: 503, app: "empty.example.com"},
		{what: "stopped", text: to("stopped.example.com", ""), status: 503, app: "stopped.example.com"},
		{what: "refused connection", text: to("dead.example.com", ""), status: 502, app: "dead.example.com"},
		{what: "hung up", method: "POST", text: "POST /hangup HTTP/1.1\r\n" + head + "Content-Length: 0\r\n\r\n", status: 502, app: host},
		{what: "body too large", method: "POST", text: "POST / HTTP/1.1\r\nHost: small.example.com\r\nContent-Length: 2000\r\n\r\n" + filler(rng, 2000), status: 413, app: "small.example.com", last: true},
		{what: "TRACE", method: "TRACE", text: "TRACE / HTTP/1.1\r\n" + head + "\r\n", status: 405, app: host, ends: true},
		{what: "no request", text: "GET / HTTP/1.1\r\n" + head + "X Y: 1\r\n\r\n", status: 400, app: host, ends: true},
		{what: "no version", text: "GET / HTTP/3\r\n" + head + "\r\n", status: 505, ends: true},
		{what: "folded", text: to(host, "X: 1\r\n 2\r\n"), status: 400, app: host, ends: true},
		{what: "another encoding", method: "POST", text: "POST / HTTP/1.1\r\n" + head + "Transfer-Encoding: gzip\r\n\r\n", status: 501, app: host, ends: true},
		{what: "a chunk that is none", method: "POST", text: "POST / HTTP/1.1\r\n" + head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", status: 400, app: host, ends: true},
		{what: "long header", text: to(host, "X: "+strings.Repeat("x", 40_000)+"\r\n"), status: 431, app: host, ends: true},
		{what: "long target", text: "GET /" + strings.Repeat("x", 40_000) + " HTTP/1.1\r\n" + head + "\r\n", status: 414, ends: true},
	}
	return all[rng.IntN(len(all))]
}

// counter counts what comes.
type counter struct {
	net.Conn
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n += n
	return n, err
}

// session is a client's connection, on which answers are read one by one.
type session struct {
	*counter
	in   *bufio.Reader
	left int // bytes that came before the present answer
}

func (r *rig) session() *session {
	r.tb.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
	if err != nil {
		r.tb.Fatalf("dial: %v", err)
	}
	_ = conn.SetDeadline(time.Now().Add(testkit.Hang))
	s := &session{counter: &counter{Conn: conn}}
	s.in = bufio.NewReader(s.counter)
	return s
}

// answer reads the next one: its status, body and bytes, interim ones included.
func (s *session) answer(method string) (status int, body string, bytes int, err error) {
	for {
		answer, err := http.ReadResponse(s.in, &http.Request{Method: method})
		if err != nil {
			return 0, "", 0, err
		}
		if answer.StatusCode == 100 {
			continue
		}
		text, err := io.ReadAll(answer.Body)
		came := s.n - s.in.Buffered() - s.left
		s.left += came
		return answer.StatusCode, string(text), came, err
	}
}
