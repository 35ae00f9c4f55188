package rig

import (
	"sync"
	"time"
)

// Clock is the time as the test sets it.
type Clock struct {
	mu sync.Mutex // guards at
	at time.Time
}

// Now gives it.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Forward sets it later.
func (c *Clock) Forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
