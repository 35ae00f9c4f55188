package cluster

import (
	"time"

	"aorta/internal/duration"
)

// RequestLimits bound each request to an app, at the routers. Zero is the
// routers' default: 5 minutes, an hour (or the timeout, when that is longer) and
// bodies of any size.
type RequestLimits struct {
	Timeout     time.Duration // until an answer begins, once the request has come; whole seconds
	IdleTimeout time.Duration // silence on a connection in use; whole seconds
	MaxBody     int64         // bytes of a request's body
}

// What routers do with an app that says nothing else.
const (
	DefaultTimeout     = 5 * time.Minute
	DefaultIdleTimeout = time.Hour
)

const (
	maxRequestTimeout = 24 * time.Hour
	maxRequestBody    = 1 << 50
)

// RequestLimitsChange sets what is not nil; zero takes a limit back.
type RequestLimitsChange struct {
	Timeout     *time.Duration
	IdleTimeout *time.Duration
	MaxBody     *int64
}

// Empty says that nothing is to change.
func (c RequestLimitsChange) Empty() bool { return c == RequestLimitsChange{} }

// With are the limits after the change.
func (l RequestLimits) With(c RequestLimitsChange) RequestLimits {
	if c.Timeout != nil {
		l.Timeout = *c.Timeout
	}
	if c.IdleTimeout != nil {
		l.IdleTimeout = *c.IdleTimeout
	}
	if c.MaxBody != nil {
		l.MaxBody = *c.MaxBody
	}
	return l
}

// Effective fills in what routers do where nothing is set. MaxBody stays zero:
// any size.
func (l RequestLimits) Effective() RequestLimits {
	if l.IdleTimeout == 0 {
		l.IdleTimeout = max(DefaultIdleTimeout, l.Timeout)
	}
	if l.Timeout == 0 {
		l.Timeout = min(DefaultTimeout, l.IdleTimeout)
	}
	return l
}

// Validate reports what is out of bounds, as a field below the given one.
func (l RequestLimits) Validate(field string) error {
	for name, d := range map[string]time.Duration{"timeout": l.Timeout, "idle_timeout": l.IdleTimeout} {
		if d != 0 && (d < time.Second || d > maxRequestTimeout || d%time.Second != 0) {
			return Invalid(field+name, "%s is not a number of whole seconds from 1s to %s", duration.Text(d), duration.Text(maxRequestTimeout))
		}
	}
	if l.MaxBody < 0 || l.MaxBody > maxRequestBody {
		return Invalid(field+"max_body", "%d bytes is outside 1 … %d", l.MaxBody, int64(maxRequestBody))
	}
	if l.IdleTimeout != 0 && l.Timeout > l.IdleTimeout {
		return Invalid(field+"timeout", "%s is more than the idle timeout of %s, after which any silence ends: raise that too", duration.Text(l.Timeout), duration.Text(l.IdleTimeout))
	}
	return nil
}
