package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// crew are worker processes, one job at a time each. It belongs to one goroutine
// at a time.
type crew struct {
	program string
	socket  string
	members []*child
	kills   int
}

func startCrew(n int, socket string) (*crew, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	c := &crew{program: self, socket: socket, members: make([]*child, n)}
	for i := range n {
		if err := c.hire(i); err != nil {
			c.end()
			return nil, err
		}
	}
	return c, nil
}

// hire starts the worker of a place. Who comes after another bears its name, as
// a node's worker does after a restart.
func (c *crew) hire(i int) error {
	cmd := exec.Command(c.program, "-role", roleWorker, "-socket", c.socket, "-id", "w"+strconv.Itoa(i))
	cmd.Stderr = os.Stderr
	m, err := startChild(cmd)
	c.members[i] = m
	return err
}

// harass kills one member after the other, any of them, and replaces it at once,
// until ctx ends. A member that ended by itself is an error.
func (c *crew) harass(ctx context.Context, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		i := rand.IntN(len(c.members))
		if !c.members[i].kill() {
			return fmt.Errorf("worker %d ended by itself: %w", i, c.members[i].err)
		}
		c.kills++
		if err := c.hire(i); err != nil {
			return err
		}
	}
}

// end leaves no member alive.
func (c *crew) end() {
	for _, m := range c.members {
		if m != nil {
			m.kill()
		}
	}
}
