package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// crowd are builds that come to one builder.
type crowd struct {
	t     *testing.T
	slots *slots

	mu   sync.Mutex // guards all below
	runs []string   // builds whose turn it is, by name
	said map[string][]string
	gone map[string]error
}

// voice is one build's teller.
type voice struct {
	of *crowd
	id string
}

func (v voice) Log(line string) {
	v.of.mu.Lock()
	defer v.of.mu.Unlock()
	v.of.said[v.id] = append(v.of.said[v.id], line)
}

func (v voice) Progress(_, _ int, text string) { v.Log("… " + text) }

// come has a build of an app take its turn, such as shop/1, and returns what ends
// it.
func (c *crowd) come(id string) (end context.CancelCauseFunc) {
	ctx, end := context.WithCancelCause(c.t.Context())
	app, _, _ := strings.Cut(id, "/")
	go func() { // ends with the build
		leave, err := c.slots.take(ctx, cluster.BuildSpec{AppID: cluster.ID(app), App: app}, voice{c, id})
		c.mu.Lock()
		c.gone[id] = err
		if err != nil {
			c.mu.Unlock()
			return
		}
		c.runs = append(c.runs, id)
		c.mu.Unlock()
		<-ctx.Done()
		c.mu.Lock()
		c.runs = slices.DeleteFunc(c.runs, func(s string) bool { return s == id })
		c.mu.Unlock()
		leave()
	}()
	synctest.Wait()
	return end
}

func (c *crowd) expect(want ...string) {
	c.t.Helper()
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := slices.Sorted(slices.Values(c.runs)); !slices.Equal(got, want) {
		c.t.Errorf("got %v running, want %v", got, want)
	}
}

func newCrowd(t *testing.T) *crowd {
	return &crowd{t: t, slots: newSlots(), said: map[string][]string{}, gone: map[string]error{}}
}

func TestSlots_AnAppWhoseBuildsNeverEndHasOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		var ends []context.CancelCauseFunc
		for i := range 5 {
			ends = append(ends, c.come(fmt.Sprintf("hog/%d", i)))
		}
		c.expect("hog/0")

		shop := c.come("shop/1")
		blog := c.come("blog/1")

		c.expect("hog/0", "shop/1")
		shop(nil)
		c.expect("blog/1", "hog/0")
		ends[0](nil)
		c.expect("blog/1", "hog/1")
		blog(nil)
		c.expect("hog/1")
		for _, end := range ends {
			end(nil)
		}
		c.expect()
	})
}

func TestSlots_SayWhatABuildWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		a := c.come("a/1")
		<-time.After(7 * time.Minute)
		b := c.come("b/1")
		<-time.After(3 * time.Minute)

		again, shop := c.come("a/2"), c.come("shop/1")
		<-time.After(sayAgain + time.Second)
		b(nil)
		synctest.Wait()

		want := map[string][]string{
			"a/1": nil, "b/1": nil,
			"a/2":    {"… waiting for another build of a to end (10 min)", "waiting for another build of a to end (10 min)"},
			"shop/1": {"… waiting for a build slot: a (10 min), b (3 min)", "waiting for a build slot: a (10 min), b (3 min)", "… waiting for a build slot: a (10 min), b (3 min)"},
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for id, lines := range want {
			if got := c.said[id]; len(got) < len(lines) || !slices.Equal(got[:len(lines)], lines) || len(lines) == 0 && len(got) > 0 {
				t.Errorf("%s: got %q, want it to begin with %q", id, got, lines)
			}
		}
		for _, end := range []context.CancelCauseFunc{a, again, shop} {
			end(nil)
		}
	})
}

func TestSlots_AnAbortedBuildWaitsNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		first, second := c.come("a/1"), c.come("b/1")
		aborted, last := c.come("c/1"), c.come("d/1")

		aborted(jobs.ErrAborted)
		synctest.Wait()
		first(nil)

		c.expect("b/1", "d/1")
		c.mu.Lock()
		err := c.gone["c/1"]
		c.mu.Unlock()
		if !errors.Is(err, jobs.ErrAborted) {
			t.Errorf("got %v, want it aborted", err)
		}
		second(nil)
		last(nil)
	})
}
