package routing

import (
	"testing"
	"time"

	"aorta/internal/broadcast"
	"aorta/pacemaker/internal/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// fixture is a publisher that the test turns by hand.
type fixture struct {
	*rig.Rig
	publisher *Publisher
	routers   *Routers
}

func newRig(tb testing.TB) *fixture {
	tb.Helper()
	r := &fixture{Rig: rig.New(tb)}
	cfg := Config{
		Store: r.Store, Table: r.Table, Gate: r.Gate, Epoch: rig.Epoch, Silence: 5 * time.Second,
		Started: r.Clock.Now(), Changed: broadcast.New(), Now: r.Clock.Now, Log: r.Log,
	}
	r.routers = NewRouters(cfg)
	r.publisher = NewPublisher(cfg, r.routers)
	return r
}
