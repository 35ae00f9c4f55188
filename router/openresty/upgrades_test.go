package openresty

import (
	"fmt"
	"math/rand/v2"
)

// switchTo switches protocols.
func switchTo(protocol string) []step { return switchAt(host, protocol) }

func switchAt(host, protocol string) []step {
	return []step{
		clientSends("GET / HTTP/1.1\r\n" + host + "Connection: Upgrade\r\nUpgrade: " + protocol + "\r\nSec-WebSocket-Key: k\r\n\r\n"), asked, appHead,
		appSends("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + protocol + "\r\n\r\n"), clientHead,
	}
}

// raw waits for n bytes after a switch of protocols.
func (s *side) raw(n int) {
	s.msg = &message{body: s.in}
	s.part(n)
}

func appRaw(n int) step    { return onApp(func(s *side) { s.raw(n) }) }
func clientRaw(n int) step { return func(x *run) { x.client.raw(n) } }

// upgrades are requests to switch, and what the app does of them.
var upgrades = []struct {
	what, request, answer string
	early                 string // sent right behind the request
}{
	{what: "websocket", request: get("Connection: Upgrade\r\nUpgrade: websocket\r\n")},
	{what: "another protocol", request: get("Connection: upgrade\r\nUpgrade: foo/2\r\n")},
	{what: "one of several headers", request: get("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Protocol: chat\r\n")},
	{what: "data behind the handshake", request: get("Connection: Upgrade\r\nUpgrade: websocket\r\n"), early: "first frame"},
	{what: "with a body", request: post("Connection: Upgrade\r\nUpgrade: foo\r\nContent-Length: 2\r\n", "ok")},
	{what: "with a body in chunks", request: post("Connection: Upgrade\r\nUpgrade: foo\r\nTransfer-Encoding: chunked\r\n", "2\r\nok\r\n0\r\n\r\n")},
	{what: "CONNECT by GET in HTTP/1.0", request: "GET / HTTP/1.0\r\n" + host + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
	{what: "h2c", request: get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"), answer: ok("")},
	{what: "refused with 426", request: get("Connection: Upgrade\r\nUpgrade: websocket\r\n"), answer: "HTTP/1.1 426 Upgrade Required\r\nUpgrade: foo\r\nContent-Length: 2\r\n\r\nno"},
	{what: "ignored", request: get("Connection: Upgrade\r\nUpgrade: websocket\r\n"), answer: ok("")},
	{what: "without Connection", request: get("Upgrade: websocket\r\n"), answer: ok("")},
	{what: "Connection without Upgrade", request: get("Connection: Upgrade\r\n"), answer: ok("")},
	{what: "several protocols", request: get("Connection: Upgrade\r\nUpgrade: foo, bar/1\r\n")},
}

// upgradeExchange asks for another protocol, then each side speaks in turn.
func upgradeExchange(rng *rand.Rand, i int) exchange {
	u := upgrades[i%len(upgrades)]
	steps := []step{clientSends(u.request + u.early), asked, appHead, appRest}
	if u.answer != "" {
		return exchange{what: u.what, steps: append(steps, appSends(u.answer), clientHead, clientRest)}
	}
	steps = append(steps, appSends("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n"), clientHead, appRaw(len(u.early)))
	for range 1 + rng.IntN(4) {
		up, down := filler(rng, 1+rng.IntN(5000)), filler(rng, 1+rng.IntN(200_000))
		steps = append(steps, clientSends(up), appRaw(len(up)), appSends(down), clientRaw(len(down)))
	}
	if i%2 == 0 {
		return exchange{what: fmt.Sprint(u.what, ", the client closes"), steps: append(steps, clientEnds(closes), appHears)}
	}
	return exchange{what: fmt.Sprint(u.what, ", the app closes"), steps: append(steps, appCloses, clientHears)}
}
