package nodeapi

import (
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"aorta/web/attempts"
	"aorta/web/rest"
)

const (
	// wrongEach is how many wrong join tokens an address may try in a minute.
	wrongEach = 30
	// toldEvery is how often the log says at most that strangers were refused.
	toldEvery = time.Minute
)

// strangers are those who ask for something without being a node of the cluster.
type strangers struct {
	log   *slog.Logger
	now   func() time.Time
	wrong *attempts.Counter

	mu    sync.Mutex // guards the rest
	told  time.Time
	count int // since then
}

func newStrangers(log *slog.Logger, now func() time.Time) *strangers {
	return &strangers{log: log, now: now, wrong: attempts.New(now, wrongEach)}
}

// refuse is the answer to a wrong join token.
func (s *strangers) refuse(from netip.Addr, err error) error {
	s.report(from, err)
	wait, allowed := s.wrong.Take(from)
	if allowed {
		return err
	}
	seconds := int(wait/time.Second) + 1
	return rest.TooMany(fmt.Sprintf("too many wrong join tokens came from this address: try again in %d s", seconds), seconds)
}

// report puts a line into the log, of the first and then of all of a minute.
func (s *strangers) report(from netip.Addr, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	now := s.now()
	if now.Sub(s.told) < toldEvery {
		return
	}
	s.log.Warn("strangers were refused by the nodes' API", "count", s.count, "one_from", from, "err", err)
	s.told, s.count = now, 0
}
