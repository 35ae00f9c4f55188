package openresty

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
)

func ok(headers string) string {
	return "HTTP/1.1 200 OK\r\n" + headers + "Content-Length: 2\r\n\r\nok"
}

var oddAnswers = map[string]map[string][]odd{
	"status line": {
		same: {
			{"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nok"},
			{"no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"},
			{"empty reason", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok"},
			{"long reason", "HTTP/1.1 200 " + strings.Repeat("r", 5000) + "\r\nContent-Length: 2\r\n\r\nok"},
			{"high bytes", "HTTP/1.1 200 \xff\xc3\r\nContent-Length: 2\r\n\r\nok"},
			{"LF alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"},
			{"no headers", "HTTP/1.1 200 OK\r\n\r\nok"},
			{"HTTP/1.0 with a length", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"},
		},
		mended: {
			{"two spaces", "HTTP/1.1  200  OK\r\nContent-Length: 2\r\n\r\nok"},
			{"version 1.2", "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok"},
		},
		unframed: {
			{"status 000", "HTTP/1.1 000 x\r\nContent-Length: 2\r\n\r\nok"},
			{"status 099", "HTTP/1.1 099 x\r\nContent-Length: 2\r\n\r\nok"},
			{"no HTTP", "SSH-2.0-x\r\n\r\n"},
			{"status of four digits", "HTTP/1.1 2000 x\r\nContent-Length: 2\r\n\r\nok"},
			{"version 2", "HTTP/2 200\r\nContent-Length: 2\r\n\r\nok"},
			{"lower-case version", "http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
			{"ICY", "ICY 200 OK\r\nContent-Length: 2\r\n\r\nok"},
			{"status 2xx", "HTTP/1.1 2xx OK\r\nContent-Length: 2\r\n\r\nok"},
			{"status 20", "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok"},
			{"empty lines before", "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
		},
	},
	"answer headers": {
		same: {
			{"40 kB", ok("Set-Cookie: " + strings.Repeat("c", 40_000) + "\r\n")},
			{"folded", ok("X: 1\r\n 2\r\n")},
			{"space before the colon", ok("X : 1\r\n")},
			{"no name", ok(": 1\r\n")},
			{"zero in the value", ok("X: a\x00b\r\n")},
			{"control in the value", ok("X: a\x01b\r\n")},
			{"zero in the name", ok("X\x00Y: 1\r\n")},
			{"high byte in the name", ok("X\xff: 1\r\n")},
			{"delimiters in the name", ok("X(Y)[Z]: 1\r\n")},
			{"underscore in the name", ok("X_Y: 1\r\n")},
			{"CR in the value", ok("X: a\rb\r\n")},
			{"no value", ok("X:\r\n")},
			{"spaces around the value", ok("X:  1  \r\n")},
			{"odd charset", ok("Content-Type: text/html; charset=\"utf-8\"; x=y\r\n")},
			{"charset first", ok("Content-Type: text/html;charset=UTF-8;boundary=x\r\n")},
			{"two locations", ok("Location: /a\r\nLocation: /b\r\n")},
			{"two dates", ok("Date: a\r\nDate: b\r\n")},
			{"two servers", ok("Server: a\r\nServer: b\r\n")},
			{"two of ETag", ok("ETag: a\r\nETag: b\r\n")},
			{"two of Last-Modified", ok("Last-Modified: a\r\nLast-Modified: b\r\n")},
			{"two of Expires", ok("Expires: 0\r\nExpires: 1\r\n")},
			{"two of Vary", ok("Vary: a\r\nVary: b\r\n")},
			{"two of Cache-Control", ok("Cache-Control: a\r\nCache-Control: b\r\n")},
			{"two of Set-Cookie", ok("Set-Cookie: a\r\nSet-Cookie: b\r\n")},
			{"two of Link", ok("Link: a\r\nLink: b\r\n")},
			{"two of WWW-Authenticate", ok("WWW-Authenticate: a\r\nWWW-Authenticate: b\r\n")},
			{"two of Content-Encoding", ok("Content-Encoding: a\r\nContent-Encoding: b\r\n")},
			{"two of Accept-Ranges", ok("Accept-Ranges: bytes\r\nAccept-Ranges: none\r\n")},
			{"two of Refresh", ok("Refresh: 1\r\nRefresh: 2\r\n")},
			{"a thousand", ok(strings.Repeat("X-Many: 1\r\n", 1000))},
			{"one of 30 kB", ok("X-Long: " + strings.Repeat("x", 30_000) + "\r\n")},
			{"named in Connection", ok("Connection: X-Hop\r\nX-Hop: 1\r\n")},
			{"Upgrade without a switch", ok("Upgrade: h2c\r\nConnection: Upgrade\r\n")},
			{"Via and Age", ok("Via: 1.1 x\r\nAge: 1\r\nWarning: 199 x\r\n")},
			{"Alt-Svc and HSTS", ok("Alt-Svc: h3=\":443\"\r\nStrict-Transport-Security: max-age=1\r\n")},
			{"Proxy-Authenticate", ok("Proxy-Authenticate: Basic\r\n")},
			{"Transfer-Encoding in Trailer", ok("Trailer: X-Sum\r\n")},
		},
		spelling: {
			{"lower-case names", "HTTP/1.1 200 OK\r\ncontent-type: text/x\r\ndate: d\r\nserver: s\r\nlocation: /l\r\netag: e\r\nlast-modified: m\r\ncontent-length: 2\r\n\r\nok"},
		},
		mended: {
			{"no colon", ok("nocolon\r\n")},
			{"two content types", ok("Content-Type: a/b\r\nContent-Type: c/d\r\n")},
		},
	},
	"answer body": {
		same: {
			{"less than its length", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"},
			{"chunk that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n"},
			{"chunks that end early", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n5\r\nno"},
			{"204 with length zero", "HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n"},
			{"205 with a body", "HTTP/1.1 205 Reset\r\nContent-Length: 2\r\n\r\nok"},
			{"304 with a length", "HTTP/1.1 304 Same\r\nContent-Length: 2\r\nETag: x\r\n\r\n"},
			{"upper-case chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
			{"two of Transfer-Encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
			{"identity", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok"},
			{"chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
			{"chunk extension", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;" + strings.Repeat("a", 8000) + "\r\nok\r\n0\r\n\r\n"},
			{"chunk trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"},
			{"chunks without the last", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"},
			{"chunks with LF alone", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\n0\n\n"},
			{"no bytes of its length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"},
		},
		behind: {
			{"more than its length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokokok"},
			{"204 with a length", "HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nok"},
			{"204 with chunks", "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
			{"204 with a body", "HTTP/1.1 204 No\r\n\r\nok"},
			{"304 with a body", "HTTP/1.1 304 Same\r\nContent-Length: 2\r\n\r\nok"},
			{"another answer behind", ok("") + ok("X-Second: 1\r\n")},
		},
		mended: {
			{"length that is none", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nok"},
			{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 2\r\n\r\nok"},
			{"two lengths, the same", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"},
			{"list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok"},
			{"plus", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"},
			{"minus", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok"},
			{"empty length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok"},
			{"huge length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok"},
			{"length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
		},
		encodings: {
			{"gzip and chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
		},
	},
	"interim": {
		interims: {
			{"100 unasked", "HTTP/1.1 100 Continue\r\n\r\n" + ok("")},
			{"102", "HTTP/1.1 102 Processing\r\n\r\n" + ok("")},
			{"103", hints + ok("")},
			{"103 twice", hints + hints + ok("Link: last\r\n")},
			{"199 without a reason", "HTTP/1.1 199\r\n\r\n" + ok("")},
			{"HTTP/1.0", "HTTP/1.0 103 x\r\n\r\n" + ok("")},
			{"LF alone", "HTTP/1.1 103 x\nLink: a\n\n" + ok("")},
			{"with a length", "HTTP/1.1 103 x\r\nContent-Length: 2\r\n\r\n" + ok("")},
			{"with chunks", "HTTP/1.1 103 x\r\nTransfer-Encoding: chunked\r\n\r\n" + ok("")},
			{"with all that steers", "HTTP/1.1 103 x\r\nConnection: close\r\nUpgrade: x\r\nX-Accel-Redirect: /x\r\nX-Accel-Buffering: yes\r\nLocation: /x\r\nContent-Type: a/b; charset=koi8-r\r\nServer: s\r\nDate: d\r\nETag: e\r\nLast-Modified: l\r\nAccept-Ranges: bytes\r\nContent-Encoding: gzip\r\nSet-Cookie: c\r\n\r\n" + ok("")},
			{"a long one", "HTTP/1.1 103 x\r\nLink: " + strings.Repeat("l", 30_000) + "\r\n\r\n" + ok("")},
			{"fifty", strings.Repeat(hints, 50) + ok("")},
			{"before no body", hints + "HTTP/1.1 204 No\r\n\r\n"},
			{"before 304", hints + "HTTP/1.1 304 Same\r\nETag: x\r\n\r\n"},
			{"before chunks", hints + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
			{"before an answer without a length", hints + "HTTP/1.1 200 OK\r\n\r\nok"},
			{"before an error", hints + "HTTP/1.1 502 Own\r\nContent-Length: 2\r\n\r\nno"},
			{"before less than its length", hints + "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"},
			{"before headers of all kinds", hints + ok("Server: a\r\nServer: b\r\nDate: c\r\nVary: d\r\nSet-Cookie: e\r\nSet-Cookie: f\r\nX-Accel-Redirect: /x\r\nContent-Type: a/b; charset=x\r\nLink: g\r\nX: h\r\nKeep-Alive: 5\r\n")},
		},
		unframed: {
			{"101 unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nraw"},
			{"101 unasked, behind 103", hints + "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nraw"},
			{"status 099 behind 103", hints + "HTTP/1.1 099 x\r\nContent-Length: 2\r\n\r\nok"},
			{"no HTTP behind 103", hints + "SSH-2.0-x\r\n\r\n"},
		},
	},
}

// oddAnswer sends one of them and reads all that comes of it.
func oddAnswer(family map[string][]odd) func(*rand.Rand, int) exchange {
	return func(rng *rand.Rand, i int) exchange {
		a, listed := pick(family, i)
		return exchange{what: a.what, listed: listed, steps: []step{
			clientSends(get("Connection: close\r\n")), asked, appHead, sendsInPieces(rng, appSends, a.text), appCloses, clientAnswer, clientRest, clientTail,
		}}
	}
}

// clientTail notes what comes behind the answer.
func clientTail(x *run) {
	if n, _ := io.Copy(io.Discard, x.client.in); n > 0 {
		x.client.see("tail", fmt.Sprint(n))
	}
}

func init() {
	for name, family := range oddRequests {
		kinds["request: "+name] = kind{of: oddRequest(family), least: members(family)}
	}
	for name, family := range oddAnswers {
		kinds["answer: "+name] = kind{of: oddAnswer(family), least: members(family)}
	}
}
