package openresty

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

const poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"

// poisoned are answers of an app that tries to have said the next one on its
// client's connection too, which may be a proxy's for many clients.
var poisoned = []struct{ what, method, headers, answer string }{
	{what: "103", answer: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok("")},
	{what: "103 with a length", answer: "HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\n" + ok("")},
	{what: "100 unasked", answer: "HTTP/1.1 100 Continue\r\n\r\n" + ok("")},
	{what: "100 asked for", method: "POST", headers: "Expect: 100-continue\r\n", answer: "HTTP/1.1 100 Continue\r\n\r\n" + ok("")},
	{what: "102 and 103", answer: "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + ok("")},
	{what: "101 unasked", answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n" + ok("")},
	{what: "101 to h2c", headers: "Connection: Upgrade\r\nUpgrade: h2c\r\n", answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + ok("")},
	{what: "status 099", answer: "HTTP/1.1 099 x\r\n\r\n" + ok("")},
	{what: "status 000", answer: "HTTP/1.1 000 x\r\nContent-Length: 0\r\n\r\n" + ok("")},
	{what: "no HTTP", answer: "\r\n" + ok("")},
	{what: "no HTTP to HEAD", method: "HEAD", answer: "\r\n" + ok("")},
	{what: "HTTP/2", answer: "HTTP/2 200 OK\r\n\r\n" + ok("")},
	{what: "bytes behind its length", answer: ok("")},
	{what: "two lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 200\r\nContent-Length: 2\r\n\r\nok"},
	{what: "length and chunks", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
	{what: "chunks with trailers", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: 1\r\n\r\n"},
	{what: "body of HEAD", method: "HEAD", answer: ok("")},
	{what: "body of 204", answer: "HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nok"},
	{what: "body of 304", answer: "HTTP/1.1 304 Same\r\nContent-Length: 2\r\n\r\nok"},
	{what: "205 without a length", answer: "HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n"},
}

// final reads answers up to the one that is no interim one, as a proxy does.
func (w *wire) final(method string) (status int, body string, err error) {
	for {
		answer, err := http.ReadResponse(w.in, &http.Request{Method: method})
		if err != nil {
			return 0, "", err
		}
		text, err := io.ReadAll(answer.Body)
		if code := answer.StatusCode; err != nil || code/100 != 1 || code == http.StatusSwitchingProtocols {
			return code, string(text), err
		}
	}
}

// evilApp sends the answer, and behind it, once it is told to go on, another one.
// All of it is one write when it is told before.
func evilApp(t *testing.T, answer string, goOn chan struct{}) *app {
	return rawApp(t, func(w *wire) {
		w.head()
		select {
		case <-goOn:
			w.send("%s", answer+poison)
		default:
			w.send("%s", answer)
			<-goOn
			w.send("%s", poison)
		}
		_, _ = io.Copy(io.Discard, w.in)
	})
}

// One app is never heard in another's stead: behind its answer a connection goes
// on with that of the next request, or ends.
func TestNginx_NoAppAnswersTheNextRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.WorkerProcesses = 1 })
	good := route("good.example.com", newApp(t, nil))
	for _, p := range poisoned {
		for _, late := range []bool{false, true} {
			goOn := make(chan struct{})
			r.publish(route("evil.example.com", evilApp(t, p.answer, goOn)), good)
			client, method := r.dial(), cmp.Or(p.method, "GET")
			if !late {
				close(goOn)
			}

			client.send("%s / HTTP/1.1\r\nHost: evil.example.com\r\n%s\r\n", method, p.headers)
			first, body, err := client.final(method)
			if late {
				close(goOn)
			}
			if p.what == "no HTTP to HEAD" && errors.Is(err, io.ErrUnexpectedEOF) {
				continue // nginx can send it no head
			}
			if err != nil || strings.Contains(body, "poison") || first == http.StatusSwitchingProtocols {
				t.Errorf("%s, late %t: got %d %q and %v, want an answer", p.what, late, first, body, err)
				continue
			}
			client.send("GET / HTTP/1.1\r\nHost: good.example.com\r\n\r\n")
			second, body, err := client.final("GET")

			if err == nil && (second != http.StatusOK || strings.Contains(body, "poison") || body == "ok") {
				t.Errorf("%s, late %t: the second answer is %d %q, want the other app's or none", p.what, late, second, body)
			}
		}
	}
}
