package stats

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	releaseLimit  = 1 << 20
	instanceLimit = 25_000
)

// used is what all data takes, by Redis' own figures.
func (r *rig) used() int64 {
	r.Helper()
	info, err := r.rdb.InfoMap(r.Context(), "memory").Result()
	if err != nil {
		r.Fatalf("ask for the memory: %v", err)
	}
	var n int64
	if _, err := fmt.Sscan(info["Memory"]["used_memory_dataset"], &n); err != nil {
		r.Fatalf("read the memory: %v", err)
	}
	return n
}

// usedBy adds up the keys whose names hold text.
func (r *rig) usedBy(text string) (bytes int64, keys int) {
	r.Helper()
	all := r.rdb.Keys(r.Context(), "*"+text+"*").Val()
	cmds, err := r.rdb.Pipelined(r.Context(), func(p redis.Pipeliner) error {
		for _, key := range all {
			p.MemoryUsage(r.Context(), key, 0)
		}
		return nil
	})
	if err != nil {
		r.Fatalf("ask for the memory: %v", err)
	}
	for _, cmd := range cmds {
		bytes += cmd.(*redis.IntCmd).Val()
	}
	return bytes, len(all)
}

// fill counts steady traffic of 90 days, 2 days and 10 minutes, as it lies
// after all of that time; two commits a second in the last minutes.
func (r *rig) fill(now time.Time, instance string, perSecond int) {
	r.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	old := func(age, step, until time.Duration, n int) {
		samples := make([]*Batch, 5)
		for i := range samples {
			samples[i] = NewBatch()
			steady(samples[i], hit(now), n, random)
		}
		for age > until {
			b := NewBatch()
			for i := range 48 {
				for key, c := range samples[i%len(samples)].cells {
					key.second = now.Add(-age).Unix()
					b.cells[key] = c
				}
				b.requests += n
				age -= step
			}
			r.commitBatch(router1, ShardOf(appA), b)
			r.roll(now)
		}
	}
	old(90*24*time.Hour, time.Hour, 49*time.Hour, 5000)
	old(48*time.Hour, time.Minute, 12*time.Minute, 60*perSecond)
	for second := now.Add(-11 * time.Minute); second.Before(now); second = second.Add(500 * time.Millisecond) {
		h, b := hit(second), NewBatch()
		h.Instance = instance
		steady(b, h, perSecond/2, random)
		r.commitBatch(router1, ShardOf(appA), b)
	}
	r.roll(now)
}

func TestStore_MemoryIsWithinItsLimits(t *testing.T) {
	r := newRig(t)
	now := time.Now().Truncate(time.Minute).Add(50 * time.Second)
	r.fill(now, inst1, 20)

	release, keys := r.usedBy("r:" + release1)
	instance, instanceKeys := r.usedBy("i:" + inst1)
	due, _ := r.usedBy("due:")
	members := r.rdb.ZRange(t.Context(), dueKey(ShardOf(appA), appA), 0, -1).Val()
	share := func(of string) (n int64) {
		for _, m := range members {
			if strings.Contains(m, of) {
				n++
			}
		}
		return n * due / int64(len(members))
	}

	release += share("r:" + release1)
	instance += share("i:" + inst1)
	t.Logf("release: %d B in %d keys; instance: %d B in %d keys; the app, with one of each: %d B", release, keys, instance, instanceKeys, r.used())
	if release > releaseLimit || instance > instanceLimit {
		t.Errorf("got %d B per release and %d per instance, want up to %d and %d", release, instance, releaseLimit, instanceLimit)
	}
}
