package openresty

import (
	"fmt"
	"math/rand/v2"
)

// piece is a part of a message's body as it is sent.
type piece struct {
	text    string
	payload int // bytes of the body in it
}

// inPieces cuts a body into pieces of up to so many bytes, anywhere: between chunks, in a chunk's size, in its data.
func inPieces(rng *rand.Rand, body string, most int, chunked bool) []piece {
	var all []piece
	for body != "" {
		n := min(len(body), 1+rng.IntN(most))
		data := body[:n]
		body = body[n:]
		if !chunked {
			all = append(all, piece{data, n})
			continue
		}
		size, at := fmt.Sprintf("%x\r\n", n), rng.IntN(n+1)
		cut := rng.IntN(len(size))
		all = append(all, piece{size[:cut], 0}, piece{size[cut:] + data[:at], at}, piece{data[at:] + "\r\n", n - at})
	}
	if chunked {
		return append(all, piece{"0\r\n\r\n", 0})
	}
	return all
}

// wovenExchange sends both bodies at once, in pieces that take turns by chance.
// Each has to be at the other side before the next one is sent, so that what is
// compared is not only which bytes came but each one's turn. The answer's last
// piece is the last of all: a request ends with its answer.
func wovenExchange(rng *rand.Rand, i int) exchange {
	most := oneOf(rng, 3, 900, 70_000)
	up, down := filler(rng, 1+size(rng, 40*most)), filler(rng, 1+size(rng, 40*most))
	framing := func(n int, chunked bool) string {
		if chunked {
			return "Transfer-Encoding: chunked\r\n\r\n"
		}
		return fmt.Sprintf("Content-Length: %d\r\n\r\n", n)
	}
	upChunked, downChunked, version := rng.IntN(2) == 0, rng.IntN(2) == 0, oneOf(rng, "1.1", "1.0")
	if version == "1.0" {
		upChunked, downChunked = false, false
	}
	ups, downs := inPieces(rng, up, most, upChunked), inPieces(rng, down, most, downChunked)
	steps := []step{clientSends("POST / HTTP/" + version + "\r\n" + host + framing(len(up), upChunked)), asked, appHead}
	headAt := rng.IntN(len(ups) + 1)
	for begun := false; len(ups) > 0 || len(downs) > 0; {
		if !begun && len(ups) <= headAt {
			begun = true
			steps = append(steps, appSends("HTTP/1.1 200 OK\r\n"+framing(len(down), downChunked)), clientHead)
		}
		if len(ups) > 0 && (!begun || len(downs) == 1 || rng.IntN(2) == 0) {
			steps = append(steps, clientSends(ups[0].text), appPart(ups[0].payload))
			if ups = ups[1:]; len(ups) == 0 {
				steps = append(steps, appRest)
			}
			continue
		}
		steps = append(steps, appSends(downs[0].text), clientPart(downs[0].payload))
		downs = downs[1:]
	}
	what := fmt.Sprintf("%d: %d up, %d down, chunks %v %v, HTTP/%s", i, len(up), len(down), upChunked, downChunked, version)
	return exchange{what: what, steps: append(steps, clientRest)}
}
