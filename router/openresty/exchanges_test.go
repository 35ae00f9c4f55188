package openresty

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// kind makes exchanges: the i-th, with what is left open by chance. least is how
// many there have to be for each to come.
type kind struct {
	of    func(rng *rand.Rand, i int) exchange
	least int
	slow  bool // no more than those
}

// number is how many are made when so many of each are asked for.
func (k kind) number(asked int) int {
	if k.slow {
		return k.least
	}
	return max(k.least, asked)
}

// kinds are all there are. The odd ones come to them by their families.
var kinds = map[string]kind{
	"plain":    {of: plainExchange},
	"lockstep": {of: lockstepExchange, least: 2},
	"woven":    {of: wovenExchange},
	"early":    {of: earlyExchange},
	"ended":    {of: endedExchange, least: len(endings)},
	"silent":   {of: silentExchange, least: 4, slow: true},
	"upgrade":  {of: upgradeExchange, least: len(upgrades)},
	"expect":   {of: expectExchange, least: 1, slow: true},
	"interim":  {of: interimExchange, least: len(interimEnds)},
	"steering": {of: steeringExchange, least: 14},
}

// largest is the size of the largest bodies here. TestNginx_BodyOfAnySizeArrives has
// larger ones.
const largest = 4 << 20

const host = "Host: shop.example.com\r\n"

func oneOf[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// size is small as often as large.
func size(rng *rand.Rand, most int) int {
	if rng.IntN(6) == 0 {
		return 0
	}
	n := 1
	for n < most && rng.IntN(8) > 0 {
		n = n*2 + rng.IntN(2)
	}
	return min(n, most)
}

func filler(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[rng.IntN(36)]
	}
	return string(b)
}

// chunks is a body in chunks of random sizes.
func chunks(rng *rand.Rand, body, trailers string) string {
	var out strings.Builder
	for len(body) > 0 {
		n := min(len(body), 1+rng.IntN(8000))
		fmt.Fprintf(&out, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return out.String() + "0\r\n" + trailers + "\r\n"
}

// framed are the headers and the bytes of a body: with its length or in chunks.
func framed(rng *rand.Rand, body string) (headers, bytes string) {
	if rng.IntN(2) == 0 {
		return fmt.Sprintf("Content-Length: %d\r\n", len(body)), body
	}
	return "Transfer-Encoding: chunked\r\n", chunks(rng, body, "")
}

// someHeaders are names and values as clients and apps may send them.
func someHeaders(rng *rand.Rand) string {
	var out strings.Builder
	for range rng.IntN(6) {
		name := oneOf(rng, "X-A", "x-lower", "X_Under_Score", "X.Dotted", "Accept-Encoding", "Cookie", "X-Long", "Cache-Control", "ETag", "If-None-Match", "Authorization", "Vary", "X-ÄÖ")
		fmt.Fprintf(&out, "%s: %s\r\n", name, oneOf(rng, "1", "a, b;q=0.5", "\"quoted\"", "gzip", filler(rng, rng.IntN(4000)), "täglich", ""))
	}
	return out.String()
}

func someTarget(rng *rand.Rand) string {
	return oneOf(rng, "/", "//", "/a//b/./c/../d", "/a/%2e%2E/%2f%20%C3%A4", "/ä", "/a?b=c&d=%zz", "/?", "/a;b=c,d", "/x?y#z", "/"+filler(rng, rng.IntN(8000)), "/{}|^\"<>`")
}

// plainExchange is a request with its answer.
func plainExchange(rng *rand.Rand, i int) exchange {
	method := oneOf(rng, "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "PROPFIND", "M-SEARCH", "A_B")
	version := oneOf(rng, "1.1", "1.1", "1.0")
	body, bytes := "", ""
	if method != "HEAD" && method != "GET" || rng.IntN(4) == 0 {
		body, bytes = framed(rng, filler(rng, size(rng, largest)))
		if version == "1.0" {
			bytes = filler(rng, size(rng, largest))
			body = fmt.Sprintf("Content-Length: %d\r\n", len(bytes))
		}
	}
	target, headers := someTarget(rng), someHeaders(rng)
	listed := ""
	if strings.Count(headers, "Authorization: ") > 1 || strings.Count(headers, "If-None-Match: ") > 1 {
		listed = twoWays
	}
	request := fmt.Sprintf("%s %s HTTP/%s\r\n%s%s%s\r\n%s", method, target, version, host, headers, body, bytes)
	steps := []step{clientSends(request), asked, appHead, appRest}
	status := oneOf(rng, "200 OK", "201 Made", "204 No Content", "206 Part", "301 Moved", "302 Found", "304 Not Modified", "400 Own", "404 Own", "413 Own", "500 Own", "502 Own", "503 Own", "504 Own", "599 Own", "999 Own", "200")
	bodiless := method == "HEAD" || strings.HasPrefix(status, "204") || strings.HasPrefix(status, "304")
	steps = append(steps, answer(rng, status, bodiless, version)...)
	return exchange{listed: listed, what: fmt.Sprintf("%d: %s %s HTTP/%s, %s", i, method, brief(target), version, status), steps: steps}
}

func answer(rng *rand.Rand, status string, bodiless bool, version string) []step {
	head := "HTTP/1.1 " + status + "\r\nDate: then\r\nServer: own\r\n" + someHeaders(rng)
	if bodiless {
		return []step{appSends(head + "\r\n"), clientHeadOnly}
	}
	text := filler(rng, size(rng, largest))
	switch form := rng.IntN(4); {
	case form == 0:
		return []step{appSends(head + "\r\n" + text), appCloses, clientHead, clientRest}
	case form == 1 && version == "1.1":
		return []step{appSends(head + "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" + chunks(rng, text, "X-Sum: 1\r\n")), clientHead, clientRest}
	}
	return []step{appSends(fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(text), text)), clientHead, clientRest}
}

// lockstepExchange sends each piece only once the one before was seen at the
// other side, in both directions.
func lockstepExchange(rng *rand.Rand, i int) exchange {
	n := 2 + rng.IntN(4)
	steps := []step{clientSends("POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n"), asked, appHead}
	if i%2 == 0 {
		steps = append(steps, appSends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), clientHead)
	}
	for range n {
		up, down := filler(rng, 1+rng.IntN(9000)), filler(rng, 1+rng.IntN(9000))
		steps = append(steps, clientSends(fmt.Sprintf("%x\r\n%s\r\n", len(up), up)), appPart(len(up)))
		if i%2 == 0 {
			steps = append(steps, appSends(fmt.Sprintf("%x\r\n%s\r\n", len(down), down)), clientPart(len(down)))
		}
	}
	steps = append(steps, clientSends("0\r\n\r\n"), appRest)
	if i%2 == 1 {
		steps = append(steps, appSends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), clientHead)
		for range n {
			down := filler(rng, 1+rng.IntN(9000))
			steps = append(steps, appSends(fmt.Sprintf("%x\r\n%s\r\n", len(down), down)), clientPart(len(down)))
		}
	}
	steps = append(steps, appSends("0\r\n\r\n"), clientRest)
	return exchange{what: fmt.Sprintf("%d: %d pieces", i, n), steps: steps}
}

// earlyExchange is answered before its body has come.
func earlyExchange(rng *rand.Rand, i int) exchange {
	n := 1 + rng.IntN(200_000)
	part := rng.IntN(n)
	return exchange{what: fmt.Sprintf("%d: after %d of %d bytes", i, part, n), listed: answered, steps: []step{
		clientSends(fmt.Sprintf("POST / HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s", host, n, filler(rng, part))), asked, appHead, appPart(part),
		appSends("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno"), clientHead, clientRest,
		clientSends(filler(rng, n-part)), appRest,
	}}
}

// expectExchange is asked to go on before it sends its body.
func expectExchange(*rand.Rand, int) exchange {
	return exchange{what: "Expect: 100-continue", steps: []step{
		clientSends("POST / HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"), asked, appHead,
		onApp(func(s *side) {
			if s.msg != nil && s.msg.value("expect") != "" {
				s.sends("HTTP/1.1 100 Continue\r\n\r\n")
			}
		}),
		clientHeadOnly, clientSends("ok"), appRest, appSends("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), clientHead, clientRest,
	}}
}

// steeringExchange has headers that mean something to nginx, on both sides.
func steeringExchange(rng *rand.Rand, i int) exchange {
	answers := []string{
		"X-Accel-Redirect: /x", "X-Accel-Limit-Rate: 1", "X-Accel-Buffering: yes", "X-Accel-Charset: koi8-r", "X-Accel-Expires: 1",
		"Refresh: 0; url=http://aorta_instances/", "Location: http://aorta_instances/x", "Status: 404 Gone", "X-Pad: 1", "Content-Encoding: gzip",
		"Expires: never", "Keep-Alive: timeout=5", "Connection: X-Named\r\nX-Named: 1",
	}
	requests := []string{
		"Proxy: http://evil/", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "Forwarded: for=6.6.6.6", "X-Request-Id: mine",
		"TE: trailers", "Keep-Alive: 5", "Connection: X-Named\r\nX-Named: 1", "Range: bytes=0-1", "X-Real-IP: 6.6.6.6", "X-Forwarded-Port: 1", "Via: 1.1 a", "Cookie: a=1; aorta_session=x; b=2",
	}
	a, q := answers[i%len(answers)], requests[i%len(requests)]
	text := filler(rng, 1+rng.IntN(20_000))
	return exchange{what: brief(q) + " / " + a, steps: []step{
		clientSends("GET / HTTP/1.1\r\n" + host + q + "\r\n\r\n"), asked, appHead,
		appSends(fmt.Sprintf("HTTP/1.1 200 OK\r\n%s\r\nContent-Length: %d\r\n\r\n%s", a, len(text), text)), clientHead, clientRest,
	}}
}
