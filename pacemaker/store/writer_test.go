package store

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"gorm.io/gorm"

	"aorta/internal/testkit"
)

// blocked is a write that has begun and ends when it is released.
type blocked struct{ begun, release chan struct{} }

func newBlocked() blocked { return blocked{begun: make(chan struct{}), release: make(chan struct{})} }

func (b blocked) do(*gorm.DB) error {
	close(b.begun)
	<-b.release
	return nil
}

// TestWriter_GivesUpAQueuedWriteWithItsContext has three writes: one that holds
// the writer until the two others wait, then these two as one group, whose
// first is under way while the contexts of both end.
func TestWriter_GivesUpAQueuedWriteWithItsContext(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	synctest.Test(t, func(t *testing.T) {
		w := startWriter(s.writer.db)
		ctx, cancel := context.WithCancel(t.Context())
		first, second := newBlocked(), newBlocked()
		ends := map[string]chan error{}
		start := func(name string, ctx context.Context, do func(*gorm.DB) error) {
			end := make(chan error, 1)
			ends[name] = end
			go func() { end <- w.run(ctx, do) }()
			synctest.Wait()
		}
		start("first", t.Context(), first.do)
		start("under way", ctx, func(tx *gorm.DB) error {
			return errors.Join(second.do(tx), tx.Create(&settingRow{Key: "under way", Value: "x"}).Error)
		})
		start("queued", ctx, func(tx *gorm.DB) error { return tx.Create(&settingRow{Key: "queued", Value: "x"}).Error })
		close(first.release)
		<-second.begun

		cancel()
		synctest.Wait()

		select {
		case err := <-ends["queued"]:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("queued: got %v, want its context's error", err)
			}
		default:
			t.Error("queued: got it waiting for its commit, want it back with its context")
		}
		if len(ends["under way"]) != 0 {
			t.Errorf("under way: got %v before its commit, want it to wait for its outcome", <-ends["under way"])
		}
		close(second.release)
		if err := <-ends["under way"]; err != nil {
			t.Errorf("under way: got %v, want it committed", err)
		}
		close(w.stop)
		<-w.done
	})

	var keys []string
	testkit.Must(t, s.read.Model(&settingRow{}).Where("value = 'x'").Pluck("key", &keys).Error)
	if len(keys) != 1 || keys[0] != "under way" {
		t.Errorf("got %q written, want only what was under way", keys)
	}
}

func TestStore_CommitsRiseBeforeAWriteIsAnswered(t *testing.T) {
	s := openStore(t)
	before := s.Commits()

	testkit.Must(t, s.write(t.Context(), "test", func(tx *gorm.DB) error { return put(tx, "key", 1) }))

	after := s.Commits()
	_, err := s.Routes(t.Context())
	if after <= before || err != nil || s.Commits() != after {
		t.Errorf("got %d before a write, %d after it and %d after a read (%v), want a rise by the write alone", before, after, s.Commits(), err)
	}
}
