package openresty

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// interimEnds are what comes behind interim answers.
var interimEnds = map[string]func(rng *rand.Rand) (request string, steps []step){
	"a body at the same time": func(rng *rand.Rand) (string, []step) {
		var steps []step
		for range 1 + rng.IntN(5) {
			up := filler(rng, 1+rng.IntN(9000))
			steps = append(steps, clientSends(fmt.Sprintf("%x\r\n%s\r\n", len(up), up)), appPart(len(up)))
			steps = append(steps, someInterims(rng)...)
		}
		steps = append(steps, clientSends("0\r\n\r\n"), appRest)
		return "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n", append(steps, interimAnswer(rng)...)
	},
	"an early answer": func(rng *rand.Rand) (string, []step) {
		return post("Content-Length: 100000\r\n", filler(rng, rng.IntN(99_999))), interimAnswer(rng)
	},
	"an answer": func(rng *rand.Rand) (string, []step) { return get(""), interimAnswer(rng) },
	"an answer to HTTP/1.0": func(rng *rand.Rand) (string, []step) {
		return "GET / HTTP/1.0\r\n" + host + "\r\n", interimAnswer(rng)
	},
	"an answer to HEAD": func(rng *rand.Rand) (string, []step) {
		return "HEAD / HTTP/1.1\r\n" + host + "\r\n", []step{sendsInPieces(rng, appSends, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), clientAnswerOnly}
	},
	"no body": func(rng *rand.Rand) (string, []step) {
		return get(""), []step{sendsInPieces(rng, appSends, oneOf(rng, "HTTP/1.1 204 No\r\n\r\n", "HTTP/1.1 304 Same\r\nETag: x\r\n\r\n")), clientAnswer, clientRest}
	},
	"a stream": func(rng *rand.Rand) (string, []step) {
		steps := []step{appSends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), clientAnswer}
		for range 5 {
			down := filler(rng, 1+rng.IntN(50_000))
			steps = append(steps, appSends(fmt.Sprintf("%x\r\n%s\r\n", len(down), down)), clientPart(len(down)))
		}
		return get(""), append(steps, appSends("0\r\n\r\n"), clientRest)
	},
	"a switch of protocols": func(rng *rand.Rand) (string, []step) {
		steps := []step{sendsInPieces(rng, appSends, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n"), clientAnswer}
		for range 3 {
			up, down := filler(rng, 1+rng.IntN(5000)), filler(rng, 1+rng.IntN(50_000))
			steps = append(steps, clientSends(up), appRaw(len(up)), appSends(down), clientRaw(len(down)))
		}
		return get("Connection: Upgrade\r\nUpgrade: foo\r\n"), append(steps, clientEnds(closes), appHears)
	},
	"the end": func(*rand.Rand) (string, []step) { return get(""), []step{appCloses, clientAnswer, clientRest} },
	"a reset": func(*rand.Rand) (string, []step) { return get(""), []step{appEnds(resets), clientAnswer, clientRest} },
	"half of an answer": func(rng *rand.Rand) (string, []step) {
		whole := hints + ok("X: "+filler(rng, rng.IntN(20_000))+"\r\n")
		return get(""), []step{appSends(whole[:len(hints)+1+rng.IntN(len(whole)-len(hints)-10)]), appCloses, clientAnswer, clientRest}
	},
}

func interimAnswer(rng *rand.Rand) []step {
	text := filler(rng, size(rng, largest))
	framing, bytes := framed(rng, text)
	head := "HTTP/1.1 " + oneOf(rng, "200 OK", "404 Own", "502 Own", "999 Own") + "\r\n" + someHeaders(rng) + framing + "\r\n"
	return []step{sendsInPieces(rng, appSends, head), appSends(bytes), clientAnswer, clientRest}
}

// someInterims are sent by chance with what follows, or are with the client before.
func someInterims(rng *rand.Rand) (steps []step) {
	unread := 0
	for range rng.IntN(4) {
		headers := someHeaders(rng) + oneOf(rng, "", "Content-Length: 7\r\n", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "Link: "+filler(rng, rng.IntN(30_000))+"\r\n")
		text := "HTTP/1.1 " + oneOf(rng, "100 Continue", "102 Processing", "103 Early Hints", "199") + "\r\n" + headers + "\r\n"
		steps = append(steps, sendsInPieces(rng, appSends, text))
		if unread++; rng.IntN(2) == 0 {
			steps = append(steps, clientInterims(unread))
			unread = 0
		}
	}
	return steps
}

// interimExchange has answers before the answer.
func interimExchange(rng *rand.Rand, i int) exchange {
	ends := slices.Sorted(maps.Keys(interimEnds))
	what := ends[i%len(ends)]
	request, steps := interimEnds[what](rng)
	before := append([]step{clientSends(request), asked, appHead}, someInterims(rng)...)
	listed := interims
	if strings.Contains(what, "early") {
		listed = answered
	}
	return exchange{what: fmt.Sprintf("%d: before %s", i, what), listed: listed, steps: append(before, steps...)}
}
