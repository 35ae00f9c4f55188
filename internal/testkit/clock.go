package testkit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// RedisWithClock is a redis-server whose wall clock is the test's to set. Its
// monotonic clock is the machine's.
type RedisWithClock struct {
	*RedisServer
	file string // what libfaketime reads at each look at the clock
}

// ClockedRedis starts a redis-server under libfaketime, with the machine's time
// at first. Extra arguments are appended to its command line.
func ClockedRedis(tb testing.TB, extra ...string) *RedisWithClock {
	tb.Helper()
	found, _ := filepath.Glob("/usr/lib/*/faketime/libfaketime.so.1")
	if len(found) == 0 {
		tb.Fatal("this test needs libfaketime (install it: apt-get install libfaketime)")
	}
	dir := ShortDir(tb)
	c := &RedisWithClock{file: filepath.Join(dir, "clock")}
	c.write(tb, 0)
	c.RedisServer = &RedisServer{
		Socket: filepath.Join(dir, "r.sock"), Dir: dir, args: extra,
		env: []string{
			// Debian's redis-server allocates with jemalloc, which asks for the time
			// while libfaketime is allocating: the C library's malloc goes first.
			"LD_PRELOAD=" + found[0] + " libc.so.6", "FAKETIME_TIMESTAMP_FILE=" + c.file,
			"FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1",
		},
	}
	c.Start(tb)
	return c
}

// Set makes the server's wall clock run at this distance from the machine's, at
// once, and waits until the server says so.
func (c *RedisWithClock) Set(tb testing.TB, offset time.Duration) {
	tb.Helper()
	c.write(tb, offset)
	rdb := c.Client(tb)
	Eventually(tb, "the server's clock to be off by "+offset.String(), func() bool {
		now, err := rdb.Time(context.Background()).Result()
		off := time.Until(now) - offset
		return err == nil && off.Abs() < 2*time.Second
	})
}

// write replaces the file in one step: the server reads it at any moment.
func (c *RedisWithClock) write(tb testing.TB, offset time.Duration) {
	tb.Helper()
	fresh := c.file + ".new"
	err := os.WriteFile(fresh, fmt.Appendf(nil, "%+ds\n", int64(offset.Seconds())), 0o644)
	if err == nil {
		err = os.Rename(fresh, c.file)
	}
	if err != nil {
		tb.Fatalf("set the clock of %s: %v", c.Socket, err)
	}
}
