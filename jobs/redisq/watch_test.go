package redisq

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
)

// A watcher that was too slow hears that it missed something as soon as it reads
// on: nothing else may ever happen to wake it.
func TestForward_SaysWhatWasMissedWithoutWaitingForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out := make(chan any), make(chan Event, watchBuffer)
		go forward(t.Context(), in, out)
		begun := time.Now()
		for range watchBuffer + 2 {
			in <- &redis.Message{Channel: channelChanged, Payload: `{"tree":"t"}`}
		}
		synctest.Wait()

		for i := range watchBuffer {
			if e := <-out; e.Tree != "t" {
				t.Fatalf("event %d: got %+v, want a change of the tree", i, e)
			}
		}
		e := <-out

		if !e.Resync || !time.Now().Equal(begun) {
			t.Fatalf("after the last event that fitted: got %+v after %s, want a Resync at once", e, time.Since(begun))
		}
		in <- &redis.Message{Channel: channelLogs, Payload: "job"}
		if e := <-out; e.Log != "job" {
			t.Fatalf("after the Resync: got %+v, want the next event itself", e)
		}
	})
}
