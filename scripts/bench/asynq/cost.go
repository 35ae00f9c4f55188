package main

import (
	"context"
	"fmt"
	"strconv"
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
	info := rdb.InfoMap(ctx, "cpu")
	if err := info.Err(); err != nil {
		return cost{}, fmt.Errorf("read the CPU time of Redis: %w", err)
	}
	c := cost{Process: ownCPU().Seconds()}
	for _, name := range []string{"used_cpu_sys", "used_cpu_user", "used_cpu_sys_children", "used_cpu_user_children"} {
		n, err := strconv.ParseFloat(info.Item("CPU", name), 64)
		if err != nil {
			return cost{}, fmt.Errorf("read the CPU time of Redis: %w", err)
		}
		c.Redis += n
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
