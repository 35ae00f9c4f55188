package main

import "testing"

func TestRedisMemory_IsAQuarterOfWhatThereIs(t *testing.T) {
	for own, want := range map[int64]int64{0: 256 << 20, 1 << 30: 256 << 20, 2 << 30: 512 << 20, 8<<30 + 12345: 2 << 30} {
		if got := redisMemory(own); got != want {
			t.Errorf("of %d bytes: got %d, want %d", own, got, want)
		}
	}
}
