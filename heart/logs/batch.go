package logs

import (
	"cmp"
	"context"
	"slices"
	"time"

	"aorta/internal/pause"
	"aorta/pacemaker/cluster"
)

// Bounds of a batch. Its bytes are counted in the engine's files, which hold a
// line in the form in which it is sent.
const (
	batchBytes  = 2 << 20
	leastShare  = 4 << 10
	shipTimeout = 15 * time.Second
	stopTimeout = 2 * time.Second
)

// shipAll ships batch after batch until ctx ends. One that was not full is
// followed by the next look at the files, so that quiet instances cost little.
func (s *Shipper) shipAll(ctx context.Context) {
	r, full := newReader(), false
	for ctx.Err() == nil {
		if !full {
			select {
			case <-ctx.Done():
				return
			case <-s.wake:
			}
		}
		var batch []part
		batch, full = s.gather(r)
		s.ship(ctx, batch)
	}
}

// gather takes from every instance that has something, those with the least
// first: each gets an equal share of what is left, so that a flood takes what
// the others leave.
func (s *Shipper) gather(r *reader) (batch []part, full bool) {
	left := batchBytes
	waiting := s.waiting()
	for i, w := range waiting {
		if left <= 0 {
			w.passedOver = true
			continue
		}
		w.passedOver = false
		if p, ok := s.readPart(w.follower, r, max(left/(len(waiting)-i), leastShare)); ok {
			batch = append(batch, p)
			left -= p.size
		}
	}
	return batch, left <= leastShare
}

// waiter is a follower with so much to ship.
type waiter struct {
	*follower
	backlog int64
}

// waiting lists who has something to ship, first those that had to stand back
// in the last batch, then those with the least.
func (s *Shipper) waiting() []waiter {
	var list []waiter
	for _, f := range s.all() {
		if n := f.backlog(); n > 0 {
			list = append(list, waiter{f, n})
		}
	}
	slices.SortFunc(list, func(a, b waiter) int {
		if a.passedOver != b.passedOver {
			if a.passedOver {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.backlog, b.backlog), cmp.Compare(a.target.ID, b.target.ID))
	})
	return list
}

// readPart takes an instance's part. An ended one without any is done with.
func (s *Shipper) readPart(f *follower, r *reader, share int) (part, bool) {
	ended := f.ended()
	if ended {
		s.scan(f, r)
	}
	p, ok, err := f.readPart(r, share)
	if err != nil {
		s.o.Log.Error("an instance's output can't be read; trying again", "instance", f.target.ID, "err", err)
	}
	if ended && !ok && f.end() {
		s.mu.Lock()
		delete(s.followers, f.target.ID)
		s.mu.Unlock()
	}
	return p, ok
}

// ship retries until the batch is delivered. Meanwhile new output stays in the
// engine's files.
func (s *Shipper) ship(ctx context.Context, batch []part) {
	if len(batch) == 0 {
		return
	}
	wait := 250 * time.Millisecond
	for {
		refused, err := s.deliver(ctx, batch)
		if err == nil {
			s.waits(busy)
			s.settle(batch, refused)
			return
		}
		s.waits(err.Error())
		if cluster.CodeOf(err) == cluster.CodeInvalid {
			// A retry would be refused again and block all other lines.
			s.o.Log.Error("the log store refused lines; they are dropped", "err", err)
			empty(batch, err)
		}
		if ctx.Err() != nil || !pause.For(ctx, wait) {
			return
		}
		wait = min(2*wait, 5*time.Second)
	}
}

func (s *Shipper) waits(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behind = why
}

// empty replaces each part's lines by one that says so.
func empty(batch []part, err error) {
	for i := range batch {
		if p := &batch[i]; len(p.Lines) > 0 {
			p.Lines = []cluster.LogText{{
				Time: p.Lines[0].Time, Stream: systemStream,
				Text: counted(len(p.Lines), "line was", "lines were") + " dropped here: the log store refused them: " + err.Error(),
			}}
		}
	}
}

// deliver makes one attempt. When ctx ends, the attempt has stopTimeout left to
// finish, since the next heart would otherwise read the batch again for nothing.
func (s *Shipper) deliver(ctx context.Context, batch []part) ([]cluster.LogPosition, error) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shipTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(stopTimeout, cancel) })()
	parts := make([]cluster.LogPart, len(batch))
	for i, p := range batch {
		parts[i] = p.LogPart
	}
	return s.sink.ShipLogs(bounded, parts)
}

// settle tells each follower what became of its part. A position that is a
// part's end says that it was stored before, and the answer was lost.
func (s *Shipper) settle(batch []part, refused []cluster.LogPosition) {
	at := map[cluster.ID]string{}
	for _, p := range refused {
		at[p.Instance] = p.At
	}
	for _, p := range batch {
		stored, isRefused := at[p.Instance]
		if !isRefused || stored == p.To && p.To != p.From {
			if p.from.accept(p) {
				s.nudge()
			}
			continue
		}
		if err := p.from.resume(p, stored); err != nil {
			s.o.Log.Error("an instance's output may be stored twice", "instance", p.Instance, "err", err)
		}
		s.nudge()
	}
}
