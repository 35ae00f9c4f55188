package nodeapi

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aorta/web/rest"
)

func TestStrangers_AreRefusedForAWhileAndToldOnceAMinute(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	at := time.Unix(1_000_000, 0)
	s := newStrangers(slog.New(slog.NewTextHandler(&out, nil)), func() time.Time { return at })
	one, other, wrong := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3"), errors.New("wrong")

	for i := range wrongEach {
		if err := s.refuse(one, wrong); !errors.Is(err, wrong) {
			t.Fatalf("attempt %d: got %v, want its own cause", i, err)
		}
	}
	more, others := s.refuse(one, wrong), s.refuse(other, wrong)
	at = at.Add(toldEvery)
	later := s.refuse(one, wrong)

	if rest.StatusOf(more) != http.StatusTooManyRequests || !errors.Is(others, wrong) || !errors.Is(later, wrong) {
		t.Errorf("got %v for one more, %v for another address and %v a minute later; want the first alone refused for a while", more, others, later)
	}
	if log := out.String(); strings.Count(log, "\n") != 2 || !strings.Contains(log, "count=1 ") || !strings.Contains(log, "count=32 ") {
		t.Errorf("got the log %q, want the first at once and 32 after a minute", log)
	}
}
