package tick

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestUntil_IsTheSameMomentForAll(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for i := range 100 {
		for _, every := range []time.Duration{250 * time.Millisecond, time.Second, 2 * time.Second, 10 * time.Second} {
			at := now.Add(time.Duration(i) * 37 * time.Millisecond)

			wait := until(at, every)

			if wait < every/2 || wait > every*3/2 {
				t.Errorf("got %s for %s, want between half of it and one and a half", wait, every)
			}
			if off := time.Duration(at.Add(wait).UnixNano()+int64(phase)) % every; off != 0 {
				t.Errorf("got a moment %s beside that of the others for %s", off, every)
			}
		}
	}
}

func TestNext_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()

		if Next(ctx, time.Hour) {
			t.Error("got the moment, want the end of the context")
		}
		if !Next(t.Context(), time.Second) {
			t.Error("got the end of a context, want the moment")
		}
	})
}
