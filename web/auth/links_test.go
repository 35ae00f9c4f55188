package auth

import (
	"testing"
	"time"
)

func TestLinks_EndWithTheirTimeAndWithTheirUse(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l := newLinks(func() time.Time { return now })
	used, until := l.add("ann", "a")
	late, _ := l.add("ann", "b")

	if k, good := l.take(used); !good || k.tokenHash != "a" || !until.Equal(now.Add(LinkTTL)) {
		t.Errorf("got %+v, %t until %s, want a's for %s", k, good, until, LinkTTL)
	}
	if _, good := l.take(used); good {
		t.Error("got a link twice")
	}
	now = now.Add(LinkTTL)
	if _, good := l.take(late); good {
		t.Error("got a link at its end")
	}
	if _, good := l.take(""); good {
		t.Error("got a link without a code")
	}
}

// Somebody who makes links without end ends their own alone.
func TestLinks_KeepNoMoreOfAUserThanTheyMay(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l := newLinks(func() time.Time { return now })
	others, _ := l.add("bob", "others")
	first, _ := l.add("ann", "first")
	for range 10 * linksEach {
		now = now.Add(time.Millisecond)
		l.add("ann", "more")
	}

	if _, good := l.take(first); good || len(l.open) != linksEach+1 {
		t.Errorf("got %d links with the oldest %t, want %d without it", len(l.open), good, linksEach+1)
	}
	if _, good := l.take(others); !good {
		t.Error("got the link of another user ended, want it good")
	}
	now = now.Add(LinkTTL)
	l.add("ann", "later")
	if len(l.open) != 1 {
		t.Errorf("got %d links after the end of all but one", len(l.open))
	}
}
