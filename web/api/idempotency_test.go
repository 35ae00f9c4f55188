package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// keyed is a write under a key.
func keyed(method, path, key, body string) ask {
	return ask{method: method, path: path, token: developerToken, body: body, header: map[string]string{keyHeader: key}}
}

func TestIdempotencyKey_ARepeatGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.admin("POST", "/apps", `{"name":"shop"}`)

	for name, a := range map[string]ask{
		"created":    keyed("POST", "/apps", "k1", `{"name":"other"}`),
		"accepted":   keyed("POST", "/apps/shop/deploys", "k2", `{"image":"img:1"}`),
		"refused":    keyed("POST", "/apps", "k3", `{"name":"Shop"}`),
		"conflict":   keyed("POST", "/apps", "k4", `{"name":"shop"}`),
		"no content": keyed("DELETE", "/apps/shop/domains/x.example.com", "k5", ""),
		"not found":  keyed("POST", "/apps/none/stop", "k6", ""),
	} {
		if name == "no content" {
			r.admin("POST", "/apps/shop/domains", `{"host":"x.example.com"}`)
		}
		first := r.do(a)
		second := r.do(a)

		if first.status != second.status || string(first.body) != string(second.body) || first.header.Get("Content-Type") != second.header.Get("Content-Type") {
			t.Errorf("%s: got %d %s, then %d %s, want the same", name, first.status, first.body, second.status, second.body)
		}
		if first.header.Get("Idempotency-Replayed") != "" || second.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%s: got marked %q and %q, want the second one alone", name, first.header.Get("Idempotency-Replayed"), second.header.Get("Idempotency-Replayed"))
		}
	}
	if list := as[wire.Page[wire.Job]](t, r.admin("GET", "/jobs?app=shop", "")); len(list.Items) != 1 {
		t.Errorf("got %d operations, want one deploy", len(list.Items))
	}
}

func TestIdempotencyKey_AnotherRequestIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.do(keyed("POST", "/apps", "k", `{"name":"shop"}`))

	for name, a := range map[string]ask{
		"body":   keyed("POST", "/apps", "k", `{"name":"shops"}`),
		"path":   keyed("POST", "/apps/shop/domains", "k", `{"name":"shop"}`),
		"method": keyed("DELETE", "/apps/shop?confirm=shop", "k", ""),
	} {
		p := wantProblem(t, r.do(a), http.StatusUnprocessableEntity)

		if len(p.Errors) != 1 || p.Errors[0].Location != "header."+keyHeader {
			t.Errorf("%s: got %+v, want the header named", name, p)
		}
	}
}

func TestIdempotencyKey_BelongsToItsUser(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	mine := keyed("POST", "/apps", "k", `{"name":"shop"}`)
	theirs := mine
	theirs.token = adminToken
	r.do(mine)

	got := r.do(theirs)

	wantProblem(t, got, http.StatusConflict)
}

func TestIdempotencyKey_BadOnesAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)

	for _, key := range []string{strings.Repeat("k", 256), "a\tb", "schlüssel"} {
		got := r.do(keyed("POST", "/apps", key, `{"name":"shop"}`))

		p := wantProblem(t, got, http.StatusUnprocessableEntity)
		if len(p.Errors) != 1 || p.Errors[0].Location != "header."+keyHeader {
			t.Errorf("key %.20q: got %s, want the header named", key, got.body)
		}
	}
}

func TestIdempotencyKey_OnlyWritesTakeIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.admin("POST", "/apps", `{"name":"shop"}`)

	for op := range operations(r.api.OpenAPI()) {
		documented := false
		for _, p := range op.Parameters {
			documented = documented || p.Name == keyHeader
		}

		// A sign-in is never told again: its answer is a key to everything.
		want := op.Method != http.MethodGet && !strings.HasSuffix(op.Path, "/archive") && op.OperationID != "post-session"
		if documented != want {
			t.Errorf("%s: got %s documented: %t, want %t", op.OperationID, keyHeader, documented, want)
		}
	}
	for range 2 {
		got := r.do(keyed("GET", "/apps", "k", ""))
		if got.status != http.StatusOK || got.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("got %d, replayed %q, want a fresh list", got.status, got.header.Get("Idempotency-Replayed"))
		}
	}
}

func TestIdempotencyKey_ConcurrentRepeatsAreDoneOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.admin("POST", "/apps", `{"name":"shop"}`)
	answers := make([]answer, 16)

	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			a, err := r.try(t.Context(), keyed("POST", "/apps/shop/deploys", "k", `{"image":"img:1"}`))
			if err != nil {
				t.Error(err)
			}
			answers[i] = a
		})
	}
	group.Wait()

	for i, a := range answers {
		if a.status != http.StatusAccepted || string(a.body) != string(answers[0].body) {
			t.Errorf("answer %d: got %d %s, want %s", i, a.status, a.body, answers[0].body)
		}
	}
	if list := as[wire.Page[wire.Job]](t, r.admin("GET", "/jobs?app=shop", "")); len(list.Items) != 1 {
		t.Errorf("got %d operations, want one", len(list.Items))
	}
}

// echo is an operation whose handler the test holds in its hand.
type echo struct {
	calls  atomic.Int32
	handle func(ctx context.Context) error
}

func (r *rig) newEcho() *echo {
	e := &echo{}
	register(r.api, r.inner, route{method: post, path: "/echo", summary: "Echo", policy: developers}, func(ctx context.Context, _ *struct{}) (*reply[wire.Accepted], error) {
		n := e.calls.Add(1)
		return ok(wire.Accepted{Message: fmt.Sprint(n)}, e.handle(ctx))
	})
	return e
}

func TestIdempotencyKey_WhatFailedOnOurSideIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := r.newEcho()
	for _, fault := range []error{cluster.Unavailable("away"), errors.New("bug")} {
		key := fault.Error()
		e.calls.Store(0)
		e.handle = func(context.Context) error { return fault }
		first := r.do(keyed("POST", "/echo", key, ""))
		e.handle = func(context.Context) error { return nil }

		second := r.do(keyed("POST", "/echo", key, ""))
		third := r.do(keyed("POST", "/echo", key, ""))

		if first.status < 500 || second.status != http.StatusOK || string(second.body) != string(third.body) || e.calls.Load() != 2 {
			t.Errorf("%v: got %d, %d %s, %s in %d calls; want a failure, then one answer twice", fault, first.status, second.status, second.body, third.body, e.calls.Load())
		}
	}
}

func TestIdempotencyKey_AClientThatLeavesFindsItsAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := r.newEcho()
	begun, goOn := make(chan struct{}), make(chan struct{})
	e.handle = func(ctx context.Context) error {
		close(begun)
		<-goOn
		return ctx.Err()
	}
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := r.try(ctx, keyed("POST", "/echo", "k", ""))
		left <- err
	}()
	<-begun
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the client gone", err)
	}
	close(goOn)

	got := r.do(keyed("POST", "/echo", "k", ""))

	if got.status != http.StatusOK || e.calls.Load() != 1 || as[wire.Accepted](t, got).Message != "1" {
		t.Errorf("got %d %s after %d calls, want the answer of the only one", got.status, got.body, e.calls.Load())
	}
}

func TestIdempotencyKey_OneThatWaitsMayLeave(t *testing.T) {
	turns := &turns{taken: map[string]*turn{}}
	release, err := turns.take(t.Context(), "k")
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()

	_, waited := turns.take(ctx, "k")
	_, other := turns.take(t.Context(), "l")
	release()
	again, err := turns.take(t.Context(), "k")
	must(t, err)
	again()

	if !errors.Is(waited, context.DeadlineExceeded) || other != nil {
		t.Errorf("got %v and %v, want the wait cut short and no wait for another name", waited, other)
	}
	if len(turns.taken) != 1 {
		t.Errorf("got %d names kept, want the one that is still taken", len(turns.taken))
	}
}

func TestIdempotencyKey_OneThatWasCutOffIsInDoubt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := r.newEcho()
	e.handle = func(context.Context) error { panic(http.ErrAbortHandler) }
	_, err := r.try(t.Context(), keyed("POST", "/echo", "k", ""))
	if err == nil {
		t.Fatal("got an answer, want none")
	}

	got := r.do(keyed("POST", "/echo", "k", ""))

	p := wantProblem(t, got, http.StatusConflict)
	if !strings.Contains(p.Detail, "new key") || e.calls.Load() != 1 {
		t.Errorf("got %q after %d calls, want what to do, and no second call", p.Detail, e.calls.Load())
	}
}

func TestIdempotencyKey_KeepsNoSecretInTheClear(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := keyed("POST", "/nodes", "k", `{"name":"n1","roles":["heart"]}`)
	a.token = adminToken
	created := as[wire.NodeCreated](t, r.do(a))

	again := as[wire.NodeCreated](t, r.do(a))

	if created.Token == "" || again.Token != created.Token || r.grep(created.Token) {
		t.Errorf("got tokens %q and %q, in the clear on disk: %t", created.Token, again.Token, r.grep(created.Token))
	}
}

func TestIdempotencyKey_IsKeptForADay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.do(keyed("POST", "/apps", "k", `{"name":"shop"}`))
	created := time.Now()

	must(t, r.store.ForgetKeys(t.Context(), created.Add(-24*time.Hour).UnixNano()))
	kept := r.do(keyed("POST", "/apps", "k", `{"name":"shop"}`))
	must(t, r.store.ForgetKeys(t.Context(), time.Now().Add(time.Second).UnixNano()))
	forgotten := r.do(keyed("POST", "/apps", "k", `{"name":"shop"}`))

	if kept.status != http.StatusCreated {
		t.Errorf("got %d %s, want the first answer", kept.status, kept.body)
	}
	wantProblem(t, forgotten, http.StatusConflict)
}
