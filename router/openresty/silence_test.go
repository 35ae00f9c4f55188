package openresty

import (
	"math/rand/v2"
	"strings"
)

// brief is the host of an app whose limits are a second each.
const briefHost = "Host: brief.example.com\r\n"

// silence lasts until the router ends it. Without a router nothing does.
func silence(x *run) {
	if x.routed {
		x.client.awaits()
		_, _ = x.client.in.Peek(1)
	}
}

// silentExchange has an app that says nothing for longer than its limits: before
// its answer, in it, after a switch, and with its request's body unread.
func silentExchange(_ *rand.Rand, i int) exchange {
	asks := clientSends("GET / HTTP/1.1\r\n" + briefHost + "\r\n")
	begun := []step{asks, asked, appHead, appSends("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok"), clientHead, clientPart(2)}
	all := []exchange{
		{what: "before its answer", steps: []step{asks, asked, appHead, silence, appSends(ok("")), clientHead, clientRest}},
		{what: "in its answer", steps: append(begun, silence, appSends("ok"), clientRest)},
		{what: "after a switch", steps: append(switchAt(briefHost, "websocket"), silence, appSends("ok"), appCloses, clientHears)},
		{what: "with a body unread", steps: []step{
			clientSends("POST / HTTP/1.1\r\n" + briefHost + "Content-Length: 50000000\r\n\r\n" + strings.Repeat("x", 50_000_000)), asked, silence, appHead, appSends(ok("")), clientHead,
		}},
	}
	e := all[i%len(all)]
	e.listed = silenced
	return e
}
