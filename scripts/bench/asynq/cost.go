package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// cost is CPU time: of this process, and of the Redis server with its forks.
type cost struct {
	Process float64 `json:"process"`
	Redis   float64 `json:"redis"`
}

func (c cost) times(f float64) cost { return cost{Process: c.Process * f, Redis: c.Redis * f} }

// spent reads both in seconds since their start.
func spent(ctx context.Context, rdb *redis.Client) (cost, error) {
	text, err := rdb.Info(ctx, "cpu").Result()
	if err != nil {
		return cost{}, fmt.Errorf("read the CPU time of Redis: %w", err)
	}
	c := cost{Process: ownCPU().Seconds()}
	for line := range strings.SplitSeq(text, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "used_cpu_sys", "used_cpu_user", "used_cpu_sys_children", "used_cpu_user_children":
			n, _ := strconv.ParseFloat(value, 64)
			c.Redis += n
		}
	}
	return c, nil
}

func ownCPU() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it can't fail for this process
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// during is what both spend while fn runs, in seconds.
func during(ctx context.Context, rdb *redis.Client, fn func() error) (cost, error) {
	before, err := spent(ctx, rdb)
	if err != nil {
		return cost{}, err
	}
	if err := fn(); err != nil {
		return cost{}, err
	}
	after, err := spent(ctx, rdb)
	return cost{Process: after.Process - before.Process, Redis: after.Redis - before.Redis}, err
}
