package broadcast

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSignal_WakesEverybodyWhoWaits(t *testing.T) {
	s := New()
	a, b := s.C(), s.C()

	s.Notify()

	<-a
	<-b
	select {
	case <-s.C():
		t.Error("the next one is closed too, want it to wait for the next notification")
	default:
	}
}

func TestSignal_UntilAsksAfterEachNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		asked, from := 0, time.Now()
		done := make(chan error)
		go func() {
			done <- s.Until(t.Context(), func() (bool, error) {
				asked++
				return asked == 3, nil
			})
		}()

		for range 2 {
			synctest.Wait()
			s.Notify()
		}

		if err := <-done; err != nil || asked != 3 {
			t.Errorf("got %v after %d questions, want success at the third", err, asked)
		}
		if passed := time.Since(from); passed != 0 {
			t.Errorf("got it after %s, want no wait for the tick", passed)
		}
	})
}

func TestSignal_UntilAsksAgainWithoutANotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0

		err := New().Until(t.Context(), func() (bool, error) {
			asked++
			return asked == 3, nil
		})

		if err != nil || asked != 3 {
			t.Errorf("got %v after %d questions, want success at the third", err, asked)
		}
	})
}

func TestSignal_UntilEndsWithAnErrorOrItsContext(t *testing.T) {
	broken, over := errors.New("broken"), errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(over)

	failed := New().Until(t.Context(), func() (bool, error) { return false, broken })
	ended := New().Until(ctx, func() (bool, error) { return false, nil })

	if failed != broken || ended != over {
		t.Errorf("got %v and %v, want %v and %v", failed, ended, broken, over)
	}
}
