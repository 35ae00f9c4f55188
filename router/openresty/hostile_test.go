package openresty

import (
	"cmp"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"aorta/router"
)

// noise is bytes of any kind, some more often: those that end lines, quote, escape
// or are no UTF-8.
func noise(rng *rand.Rand, most int, not string) string {
	var out strings.Builder
	for range rng.IntN(most + 1) {
		b := byte(rng.IntN(256))
		if rng.IntN(3) == 0 {
			b = oneOf[byte](rng, '"', '\\', '\r', 0, 0x80, 0xff, '{', '}', ',', ':', 0x7f, '\t', 'u')
		}
		if !strings.ContainsRune(not, rune(b)) {
			out.WriteByte(b)
		}
	}
	return out.String()
}

func method(rng *rand.Rand) string {
	out := make([]byte, 1+rng.IntN(32))
	for i := range out {
		out[i] = byte('A' + rng.IntN(26))
	}
	return string(out)
}

// hostileRequest is what a client may send to be a nuisance: one request at most.
// whole says that its end can be told.
func hostileRequest(rng *rand.Rand) (text string, whole bool) {
	host := oneOf(rng, "odd.example.com", "odd.example.com", "odd.example.com", "unknown.example.com", noise(rng, 40, "\n"))
	lines := "\r\nConnection: close\r\nHost: " + host + "\r\n"
	switch rng.IntN(10) {
	case 0:
		return noise(rng, 300, "\n") + "\n\n", false
	case 1:
		return "GET / HTTP/" + noise(rng, 6, "\n") + lines + "\r\n", false
	case 2:
		return "GET /" + noise(rng, 40_000, "\n ") + " HTTP/1.1" + lines + "\r\n", true
	}
	head := method(rng) + " /" + noise(rng, 60, "\n ") + " HTTP/1.1" + lines
	for range rng.IntN(4) {
		head += oneOf(rng, "X", "X-Request-Id", "Cookie", "User-Agent", "Upgrade", noise(rng, 12, "\n:")) + ": " + noise(rng, 80, "\n") + "\r\n"
	}
	return head + "\r\n", true
}

// hostileAnswer is what an app may send in place of one.
func hostileAnswer(rng *rand.Rand) string {
	status := []byte{byte('0' + rng.IntN(10)), byte('0' + rng.IntN(10)), byte('0' + rng.IntN(10))}
	switch rng.IntN(6) {
	case 0:
		return noise(rng, 500, "")
	case 1:
		return "HTTP/1.1 " + noise(rng, 8, "")
	case 2:
		return ""
	}
	return "HTTP/1.1 " + string(status) + " " + noise(rng, 30, "\n") + "\r\n" + noise(rng, 12, "\n:") + ": " + noise(rng, 60, "\n") + "\r\nContent-Length: 2\r\n\r\nok"
}

// Whatever a client and an app send, each exchange is one line of the access log
// that can be read, and counts once.
func TestNginx_EveryLineCanBeReadAndCounts(t *testing.T) {
	t.Parallel()
	seed := cmp.Or(*differenceSeed, rand.Uint64())
	t.Logf("repeat with: -difference.seed=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 3))
	answers := make(chan string, 1)
	a := rawApp(t, func(w *wire) {
		w.head()
		select {
		case text := <-answers:
			_, _ = io.WriteString(w, text)
		default:
		}
	})
	r := newRig(t, func(c *Config) { c.WorkerProcesses = 1; c.LogBuffered = false })
	record := route("odd.example.com", a)
	r.publish(record)

	const exchanges = 400
	for i := range exchanges {
		select {
		case <-answers:
		default:
		}
		answers <- hostileAnswer(rng)
		client := r.dial()
		text, whole := hostileRequest(rng)
		client.send("%s", text)
		if whole {
			_, _ = io.Copy(io.Discard, client.in)
		}
		_ = client.Close()
		r.lastLine(i + 1)
	}

	counted := uint64(0)
	for _, t := range r.counted(ledger{"": &tally{requests: exchanges}}, []router.Record{record}) {
		counted += t.requests
	}
	if counted != exchanges {
		t.Errorf("got %d counted, want %d", counted, exchanges)
	}
}
