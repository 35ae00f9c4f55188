package openresty

import (
	"fmt"
	"math/rand/v2"
)

// ending is how one side ends its connection, at one point of an exchange.
type ending struct {
	who, how, when string
}

// endings are all ways at all points.
var endings = func() []ending {
	var all []ending
	for _, how := range []string{closes, resets, finishes} {
		for _, when := range []string{"in its head", "before its body", "in its body", "when it has asked", "in the answer", "after the switch"} {
			all = append(all, ending{"client", how, when})
		}
		for _, when := range []string{"unasked", "in the request's body", "unanswered", "in its head", "in its answer", "after its answer", "after the switch"} {
			all = append(all, ending{"app", how, when})
		}
	}
	return all
}()

// endedExchange ends on one side, which the other one hears. Who only ends its
// own direction still gets what the other one sends then.
func endedExchange(rng *rand.Rand, i int) exchange {
	e := endings[i%len(endings)]
	n := 1 + rng.IntN(5000)
	text := filler(rng, n)
	half := []step{clientSends(fmt.Sprintf("POST / HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s", host, n+10, text)), asked, appHead, appPart(n)}
	whole := []step{clientSends(fmt.Sprintf("POST / HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s", host, n, text)), asked, appHead, appRest}
	begun := append(whole, appSends(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n+10, text)), clientHead, clientPart(n))
	switched := append([]step{}, switchTo("websocket")...)
	switched = append(switched, clientSends(text), onApp(func(s *side) { s.raw(n) }), appSends(text), func(x *run) { x.client.raw(n) })
	answers := []step{appHears, appSends(ok("")), clientHead, clientRest}

	var steps []step
	if e.who == "client" {
		ends := clientEnds(e.how)
		steps = map[string][]step{
			"in its head":       {clientSends("POST / HTTP/1.1\r\n" + host + "X-Ha"), ends, asked, appHead, appSends(ok("")), clientHead},
			"before its body":   append([]step{clientSends("POST / HTTP/1.1\r\n" + host + "Content-Length: 10\r\n\r\n"), asked, appHead, ends}, answers...),
			"in its body":       append(append(half, ends, appRest), answers[1:]...),
			"when it has asked": append(append(whole, ends), answers...),
			"in the answer":     append(begun, ends, appHears, appSends("0123456789"), clientRest),
			"after the switch":  append(switched, ends, appHears, appSends("bye"), appEnds(closes), clientHears),
		}[e.when]
	} else {
		ends := appEnds(e.how)
		steps = map[string][]step{
			"unasked":               {clientSends(get("")), asked, ends, clientHead},
			"in the request's body": append(half, ends, clientHead),
			"unanswered":            append(whole, ends, clientHead),
			"in its head":           append(whole, appSends("HTTP/1.1 200 OK\r\nX-Ha"), ends, clientHead),
			"in its answer":         append(begun, ends, clientRest),
			"after its answer":      append(whole, appSends(ok("")), clientHead, clientRest, ends),
			"after the switch":      append(switched, ends, clientHears, clientSends("bye"), clientEnds(closes), appHears),
		}[e.when]
	}
	return exchange{what: fmt.Sprintf("%s %s %s", e.who, e.how, e.when), listed: e.how, steps: steps}
}
