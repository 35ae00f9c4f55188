package routing

import (
	"log/slog"
	"time"

	"aorta/internal/broadcast"
	"aorta/pacemaker/store"
)

// Config is what a Publisher and Routers of one pacemaker need.
type Config struct {
	Store *store.Store
	Table Table
	Gate  Gate
	Epoch uint64
	// Silence is how long a router may be silent before it is not waited for.
	Silence time.Duration
	Started time.Time         // of this pacemaker: silence counts from here
	Changed *broadcast.Signal // notified at each report of a router
	Now     func() time.Time
	Log     *slog.Logger
}
