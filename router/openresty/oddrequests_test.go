package openresty

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// odd is a message that is rare, old or wrong.
type odd struct{ what, text string }

// Odd messages are ordered by the difference of docs/APPS.md that they are an
// example of.
const (
	same      = "" // of none
	noRequest = "no request"
	noHost    = "no host"
	twoWays   = "read in two ways"
	absolute  = "absolute target"
	encodings = "transfer encodings"
	mended    = "mended"
	spelling  = "spelling"
	behind    = "behind the end"
	unframed  = "no end"
	interims  = "interim"
	answered  = "answered early"
	silenced  = "silent for too long"

	underlined = "an underscore in a name of the router's"
)

func get(headers string) string { return "GET / HTTP/1.1\r\n" + host + headers + "\r\n" }

func post(headers, body string) string { return "POST / HTTP/1.1\r\n" + host + headers + "\r\n" + body }

// chunked is a POST whose chunks are written as they stand here.
func chunked(body string) string { return post("Transfer-Encoding: chunked\r\n", body) }

// oddRequests are in families, of which the list in docs/APPS.md speaks.
var oddRequests = map[string]map[string][]odd{
	"first line": {
		same: {
			{"empty lines before", "\r\n\r\n" + get("")},
			{"long method", strings.Repeat("M", 100) + " / HTTP/1.1\r\n" + host + "\r\n"},
		},
		mended: {
			{"two spaces", "GET  / HTTP/1.1\r\n" + host + "\r\n"},
			{"a space behind", "GET / HTTP/1.1 \r\n" + host + "\r\n"},
			{"version 1.2", "GET / HTTP/1.2\r\n" + host + "\r\n"},
			{"version 1.10", "GET / HTTP/1.10\r\n" + host + "\r\n"},
		},
		noRequest: {
			{"TRACE", "TRACE / HTTP/1.1\r\n" + host + "\r\n"},
			{"CONNECT", "CONNECT shop.example.com:80 HTTP/1.1\r\n" + host + "\r\n"},
			{"OPTIONS *", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n"},
			{"lower-case method", "get / HTTP/1.1\r\n" + host + "\r\n"},
			{"target above the root", "GET /../x HTTP/1.1\r\n" + host + "\r\n"},
			{"escaped target above the root", "GET /%2e%2E/x HTTP/1.1\r\n" + host + "\r\n"},
			{"broken escape", "GET /%zz HTTP/1.1\r\n" + host + "\r\n"},
			{"escaped zero", "GET /%00 HTTP/1.1\r\n" + host + "\r\n"},
			{"HTTP/2.0", "GET / HTTP/2.0\r\n" + host + "\r\n"},
			{"a tab", "GET\t/ HTTP/1.1\r\n" + host + "\r\n"},
			{"version 3", "GET / HTTP/3\r\n" + host + "\r\n"},
			{"lower-case version", "GET / http/1.1\r\n" + host + "\r\n"},
			{"no version", "GET /\r\n\r\n"},
			{"digit in the method", "GET2 / HTTP/1.1\r\n" + host + "\r\n"},
			{"no slash", "GET x HTTP/1.1\r\n" + host + "\r\n"},
			{"control in the target", "GET /a\x01b HTTP/1.1\r\n" + host + "\r\n"},
			{"zero in the target", "GET /a\x00b HTTP/1.1\r\n" + host + "\r\n"},
			{"space in the target", "GET /a b HTTP/1.1\r\n" + host + "\r\n"},
		},
	},
	"absolute": {
		absolute: {
			{"with a port", "GET http://shop.example.com:80/x HTTP/1.1\r\n" + host + "\r\n"},
			{"https", "GET https://shop.example.com/x HTTP/1.1\r\n" + host + "\r\n"},
			{"upper-case scheme", "GET HTTP://shop.example.com/x HTTP/1.1\r\n" + host + "\r\n"},
			{"no path", "GET http://shop.example.com HTTP/1.1\r\n" + host + "\r\n"},
			{"no path but a query", "GET http://shop.example.com?a=b HTTP/1.1\r\n" + host + "\r\n"},
			{"another host", "GET http://other.example.com/x HTTP/1.1\r\n" + host + "\r\n"},
		},
		noRequest: {
			{"a user", "GET http://me@shop.example.com/x HTTP/1.1\r\n" + host + "\r\n"},
		},
		noHost: {
			{"no host", "GET http://shop.example.com/x HTTP/1.1\r\n\r\n"},
			{"no host in HTTP/1.0", "GET http://shop.example.com/x HTTP/1.0\r\n\r\n"},
		},
	},
	"host": {
		same: {
			{"upper case", "GET / HTTP/1.1\r\nHost: SHOP.Example.COM\r\n\r\n"},
			{"trailing dot", "GET / HTTP/1.1\r\nHost: shop.example.com.\r\n\r\n"},
			{"trailing dot and port", "GET / HTTP/1.1\r\nHost: shop.example.com.:8080\r\n\r\n"},
			{"port", "GET / HTTP/1.1\r\nHost: shop.example.com:65535\r\n\r\n"},
			{"empty port", "GET / HTTP/1.1\r\nHost: shop.example.com:\r\n\r\n"},
			{"space before", "GET / HTTP/1.1\r\nHost:    shop.example.com   \r\n\r\n"},
		},
		noHost: {
			{"port of six digits", "GET / HTTP/1.1\r\nHost: shop.example.com:123456\r\n\r\n"},
			{"port that is none", "GET / HTTP/1.1\r\nHost: shop.example.com:x\r\n\r\n"},
			{"IPv6", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"},
			{"empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
			{"none", "GET / HTTP/1.1\r\n\r\n"},
			{"none in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n"},
			{"a user", "GET / HTTP/1.1\r\nHost: me@shop.example.com\r\n\r\n"},
			{"a list", "GET / HTTP/1.1\r\nHost: shop.example.com, b.example.com\r\n\r\n"},
			{"a slash", "GET / HTTP/1.1\r\nHost: shop.example.com/x\r\n\r\n"},
		},
		twoWays: {
			{"two, the same", get(host)},
			{"two, case differs", get("HOST: other.example.com\r\n")},
		},
	},
	"headers": {
		same: {
			{"no colon", get("nocolon\r\n")},
			{"no value", get("X:\r\n")},
			{"colon in the value", get("X: a: b\r\n")},
			{"tab before the value", get("X:\t1\r\n")},
			{"spaces behind the value", get("X: 1 \t \r\n")},
			{"control in the value", get("X: a\x01b\r\n")},
			{"DEL in the value", get("X: a\x7fb\r\n")},
			{"high byte in the name", get("X\xff: 1\r\n")},
			{"delimiters in the name", get("X(Y)[Z]: 1\r\n")},
			{"LF alone", "GET / HTTP/1.1\nHost: shop.example.com\nX: 1\n\n"},
			{"LF alone at the end", "GET / HTTP/1.1\r\n" + host + "X: 1\n\n"},
			{"twice", get("X: 1\r\nX: 2\r\nx: 3\r\n")},
			{"two cookies", get("Cookie: a=1\r\nCookie: b=2\r\n")},
			{"two ranges", get("Range: bytes=0-1\r\nRange: bytes=2-3\r\n")},
			{"two user agents", get("User-Agent: a\r\nUser-Agent: b\r\n")},
			{"two content types", post("Content-Type: a\r\nContent-Type: b\r\nContent-Length: 2\r\n", "ok")},
			{"two referers", get("Referer: a\r\nReferer: b\r\n")},
			{"named in Connection", get("Connection: close, X-Hop\r\nX-Hop: 1\r\n")},
			{"named in Connection: Host", get("Connection: close, Host\r\n")},
			{"two of Connection", get("Connection: keep-alive\r\nConnection: close\r\n")},
			{"proxy headers", get("Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\n")},
			{"Via and Max-Forwards", get("Via: 1.1 x\r\nMax-Forwards: 0\r\n")},
			{"nearly a thousand", get(strings.Repeat("X-Many: 1\r\n", 990))},
			{"one of 30 kB", get("X-Long: " + strings.Repeat("x", 30_000) + "\r\n")},
			{"long name", get(strings.Repeat("N", 3000) + ": 1\r\n")},
			{"validators", get("If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\nIf-None-Match: *\r\nIf-Match: \"x\"\r\nIf-Range: \"x\"\r\nRange: bytes=0-0\r\n")},
		},
		twoWays: {
			{"folded", get("X: 1\r\n 2\r\n")},
			{"space in a name", get("X Y: 1\r\n")},
			{"fold by a tab", get("X: 1\r\n\t2\r\n")},
			{"fold at once", "GET / HTTP/1.1\r\n X: 1\r\n" + host + "\r\n"},
			{"space before the colon", get("X : 1\r\n")},
			{"no name", get(": 1\r\n")},
			{"zero in the value", get("X: a\x00b\r\n")},
			{"zero in the name", get("X\x00Y: 1\r\n")},
			{"CR in the value", get("X: a\rb\r\n")},
			{"two of If-Modified-Since", get("If-Modified-Since: x\r\nIf-Modified-Since: y\r\n")},
			{"two authorizations", get("Authorization: a\r\nAuthorization: b\r\n")},
			{"two of Expect", post("Expect: x\r\nExpect: y\r\nContent-Length: 2\r\n", "ok")},
		},
	},
	"length": {
		same: {
			{"spaces", post("Content-Length:   2  \r\n", "ok")},
			{"leading zeros", post("Content-Length: 0002\r\n", "ok")},
			{"of GET", "GET / HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\nok"},
			{"zero of POST", post("Content-Length: 0\r\n", "")},
			{"none of POST", post("", "")},
		},
		twoWays: {
			{"two, the same", post("Content-Length: 2\r\nContent-Length: 2\r\n", "ok")},
			{"two that differ", post("Content-Length: 2\r\nContent-Length: 3\r\n", "ok!")},
			{"a list", post("Content-Length: 2, 2\r\n", "ok")},
			{"plus", post("Content-Length: +2\r\n", "ok")},
			{"minus", post("Content-Length: -2\r\n", "ok")},
			{"space inside", post("Content-Length: 0 2\r\n", "ok")},
			{"hex", post("Content-Length: 0x2\r\n", "ok")},
			{"fraction", post("Content-Length: 2.0\r\n", "ok")},
			{"empty", post("Content-Length:\r\n", "")},
			{"of twenty digits", post("Content-Length: 99999999999999999999\r\n", "ok")},
		},
	},
	"encoding": {
		same: {
			{"upper case", post("Transfer-Encoding: CHUNKED\r\n", "2\r\nok\r\n0\r\n\r\n")},
			{"spaces", post("Transfer-Encoding:   chunked  \r\n", "2\r\nok\r\n0\r\n\r\n")},
		},
		underlined: {
			{"name with an underscore", post("Transfer_Encoding: chunked\r\nContent-Length: 2\r\n", "ok")},
			{"length with an underscore", post("content_length: 9\r\nContent-Length: 2\r\n", "ok")},
			{"address with an underscore", get("X-Forwarded_For: 6.6.6.6\r\n")},
		},
		encodings: {
			{"twice in a list", post("Transfer-Encoding: chunked, chunked\r\n", "2\r\nok\r\n0\r\n\r\n")},
			{"gzip and chunked", post("Transfer-Encoding: gzip, chunked\r\n", "2\r\nok\r\n0\r\n\r\n")},
			{"identity", post("Transfer-Encoding: identity\r\n", "")},
			{"identity and length", post("Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "ok")},
			{"parameter", post("Transfer-Encoding: chunked;q=1\r\n", "2\r\nok\r\n0\r\n\r\n")},
			{"misspelt", post("Transfer-Encoding: xchunked\r\n", "")},
			{"empty", post("Transfer-Encoding:\r\n", "")},
			{"vertical tab", post("Transfer-Encoding: \x0bchunked\r\n", "2\r\nok\r\n0\r\n\r\n")},
		},
		twoWays: {
			{"twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "2\r\nok\r\n0\r\n\r\n")},
			{"name with a space", post("Transfer-Encoding : chunked\r\n", "2\r\nok\r\n0\r\n\r\n")},
			{"in HTTP/1.0", "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
			{"chunks before length", post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "2\r\nok\r\n0\r\n\r\n")},
		},
	},
	"chunks": {
		same: {
			{"extension", chunked("2;a=b;c=\"d\"\r\nok\r\n0;e\r\n\r\n")},
			{"extension of 8 kB", chunked("2;" + strings.Repeat("a", 8000) + "\r\nok\r\n0\r\n\r\n")},
			{"extension of 40 kB", chunked("2;" + strings.Repeat("a", 40_000) + "\r\nok\r\n0\r\n\r\n")},
			{"leading zeros", chunked("0000000002\r\nok\r\n000\r\n\r\n")},
			{"upper-case size", chunked("A\r\n0123456789\r\n0\r\n\r\n")},
			{"space behind the size", chunked("2 \r\nok\r\n0\r\n\r\n")},
			{"LF alone", chunked("2\nok\n0\n\n")},
			{"trailers", chunked("2\r\nok\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n")},
			{"trailers that frame", chunked("2\r\nok\r\n0\r\nContent-Length: 9\r\nHost: b.example.com\r\n\r\n")},
			{"one byte each", chunked(strings.Repeat("1\r\nx\r\n", 3000) + "0\r\n\r\n")},
			{"nothing", chunked("0\r\n\r\n")},
		},
		twoWays: {
			{"size of 17 digits", chunked("10000000000000002\r\nok\r\n0\r\n\r\n")},
			{"negative size", chunked("-2\r\nok\r\n0\r\n\r\n")},
			{"0x before the size", chunked("0x2\r\nok\r\n0\r\n\r\n")},
			{"no end of a chunk", chunked("2\r\nokok\r\n0\r\n\r\n")},
		},
	},
	"expect": {
		same: {
			{"upper case", post("Expect: 100-CONTINUE\r\nContent-Length: 2\r\n", "ok")},
			{"another one", post("Expect: the-unexpected\r\nContent-Length: 2\r\n", "ok")},
			{"of GET", get("Expect: 100-continue\r\n")},
			{"in HTTP/1.0", "POST / HTTP/1.0\r\n" + host + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nok"},
			{"with chunks", post("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", "2\r\nok\r\n0\r\n\r\n")},
		},
	},
}

func members(family map[string][]odd) (n int) {
	for _, of := range family {
		n += len(of)
	}
	return n
}

// pick is the i-th of a family, and the difference that it is an example of.
func pick(family map[string][]odd, i int) (odd, string) {
	i %= members(family)
	for _, listed := range slices.Sorted(maps.Keys(family)) {
		if of := family[listed]; i < len(of) {
			return of[i], listed
		}
		i -= len(family[listed])
	}
	panic("members counts them")
}

// oddRequest sends one of them and answers it.
func oddRequest(family map[string][]odd) func(*rand.Rand, int) exchange {
	return func(rng *rand.Rand, i int) exchange {
		q, listed := pick(family, i)
		return exchange{what: q.what, listed: listed, steps: []step{
			sendsInPieces(rng, clientSends, q.text), asked, appHead, appRest, appSends(ok("")), clientFinal, clientRest,
		}}
	}
}

// sendsInPieces sends a text at once, in a few pieces or byte by byte.
func sendsInPieces(rng *rand.Rand, sends func(string) step, text string) step {
	most := oneOf(rng, len(text), len(text), 1+len(text)/3, 1)
	if len(text) > 2000 {
		most = max(most, 700)
	}
	return func(x *run) {
		for rest := text; rest != ""; rest = rest[min(most, len(rest)):] {
			sends(rest[:min(most, len(rest))])(x)
		}
	}
}
