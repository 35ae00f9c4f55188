package heart

import (
	"net/netip"
	"testing"
	"time"
)

func listening(addresses ...string) []listener {
	var found []listener
	for _, a := range addresses {
		at := netip.MustParseAddrPort(a)
		found = append(found, listener{addr: at.Addr(), port: int(at.Port())})
	}
	return found
}

// look is where a process listens at a second of its start.
type look struct {
	at    int
	where []listener
	cores float64
}

func TestMisplaced_KnowsWhatComesToNothing(t *testing.T) {
	t.Parallel()
	const idle, busy = 0.001, 0.9
	admin := listening("[::]:9999")
	for name, c := range map[string]struct {
		limit time.Duration
		looks []look
		fails int // second at which it is known; 0: never
	}{
		"an address that no request comes to": {time.Hour, []look{{1, listening("127.0.0.1:5000"), busy}, {5, listening("127.0.0.1:5000"), busy}, {6, listening("127.0.0.1:5000"), busy}}, 6},
		"IPv6 alone":                          {time.Hour, []look{{1, listening("[::]:5000"), idle}, {6, listening("[::]:5000"), idle}}, 6},
		"another port, idle":                  {time.Minute, []look{{1, admin, idle}, {20, admin, idle}, {21, admin, idle}}, 21},
		"another port, at work":               {time.Minute, []look{{1, admin, busy}, {21, admin, busy}, {59, admin, busy}}, 0},
		"another port, and time to start":     {10 * time.Minute, []look{{1, admin, idle}, {200, admin, idle}, {201, admin, idle}}, 201},
		"ports that come one by one":          {time.Minute, []look{{1, admin, idle}, {15, listening("[::]:9999", "[::]:9998"), idle}, {30, listening("[::]:9999", "[::]:9998"), idle}}, 0},
		"another port first, then PORT":       {time.Minute, []look{{1, admin, idle}, {19, admin, idle}, {21, listening("[::]:9999", "0.0.0.0:5000"), idle}, {50, listening("0.0.0.0:5000"), idle}}, 0},
		"nowhere":                             {time.Minute, []look{{1, nil, idle}, {59, nil, idle}}, 0},
	} {
		var m misplaced
		failed := 0
		for _, l := range c.looks {
			p, at := judge(l.where)
			if m.see(p, at, c.limit, &l.cores, time.Unix(int64(l.at), 0)) && failed == 0 {
				failed = l.at
			}
		}
		if failed != c.fails {
			t.Errorf("%s: got it known at %d s, want %d", name, failed, c.fails)
		}
	}
}

// Without what it uses of the processor, nobody knows that a process is idle.
func TestMisplaced_OfUnknownUseItWaits(t *testing.T) {
	t.Parallel()
	var m misplaced
	p, at := judge(listening("[::]:9999"))
	m.see(p, at, time.Minute, nil, time.Unix(0, 0))

	if m.see(p, at, time.Minute, nil, time.Unix(50, 0)) {
		t.Error("got it known to fail, want it to wait")
	}
}

func TestMisplaced_TellsWhatIsWaitedForAndForHowLong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		where []listener
		after int64
		want  string
	}{
		{nil, 0, "waiting for it to listen on PORT (5000)"},
		{listening("[::]:9999", "127.0.0.1:80"), 9, "listens on [::]:9999, 127.0.0.1:80, waiting for PORT (5000)"},
		{listening("[::]:9999"), 12, "listens on [::]:9999, waiting for PORT (5000), for 10s"},
		{listening("[::]:9999"), 59, "listens on [::]:9999, waiting for PORT (5000), for 30s"},
		{listening("[::]:9999"), 119, "listens on [::]:9999, waiting for PORT (5000), for 1m"},
		{listening("[::]:5000"), 0, "waiting for it to listen on PORT (5000)"}, // the check came before the look
		{listening("[::]:5000"), 1, "listens on [::]:5000, where no request comes"},
		{listening("127.0.0.1:5000"), 3, "listens on 127.0.0.1:5000, where no request comes"},
	} {
		var m misplaced
		p, at := judge(c.where)
		m.see(p, at, time.Minute, nil, time.Unix(0, 0))

		if got := m.describe(p, at, time.Unix(c.after, 0)); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
