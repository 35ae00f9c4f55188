package rest_test

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

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/internal/rig"
	"aorta/web/rest"
	"aorta/web/wire"
)

func TestIdempotencyKey_ARepeatGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	r.Admin("POST", "/apps", `{"name":"shop"}`)

	for name, a := range map[string]rig.Ask{
		"created":    rig.Keyed("POST", "/apps", "k1", `{"name":"other"}`),
		"accepted":   rig.Keyed("POST", "/apps/shop/deploys", "k2", `{"image":"img:1"}`),
		"refused":    rig.Keyed("POST", "/apps", "k3", `{"name":"Shop"}`),
		"conflict":   rig.Keyed("POST", "/apps", "k4", `{"name":"shop"}`),
		"no content": rig.Keyed("DELETE", "/apps/shop/domains/x.example.com", "k5", ""),
		"not found":  rig.Keyed("POST", "/apps/none/stop", "k6", ""),
	} {
		if name == "no content" {
			r.Admin("POST", "/apps/shop/domains", `{"host":"x.example.com"}`)
		}
		first := r.Do(a)
		second := r.Do(a)

		if first.Status != second.Status || string(first.Body) != string(second.Body) || first.Header.Get("Content-Type") != second.Header.Get("Content-Type") {
			t.Errorf("%s: got %d %s, then %d %s, want the same", name, first.Status, first.Body, second.Status, second.Body)
		}
		if first.Header.Get("Idempotency-Replayed") != "" || second.Header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%s: got marked %q and %q, want the second one alone", name, first.Header.Get("Idempotency-Replayed"), second.Header.Get("Idempotency-Replayed"))
		}
	}
	if list := rig.As[wire.Page[wire.Job]](t, r.Admin("GET", "/jobs?app=shop", "")); len(list.Items) != 1 {
		t.Errorf("got %d operations, want one deploy", len(list.Items))
	}
}

func TestIdempotencyKey_AnotherRequestIsRefused(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	r.Do(rig.Keyed("POST", "/apps", "k", `{"name":"shop"}`))

	for name, a := range map[string]rig.Ask{
		"body":   rig.Keyed("POST", "/apps", "k", `{"name":"shops"}`),
		"path":   rig.Keyed("POST", "/apps/shop/domains", "k", `{"name":"shop"}`),
		"method": rig.Keyed("DELETE", "/apps/shop?confirm=shop", "k", ""),
	} {
		p := rig.WantProblem(t, r.Do(a), http.StatusUnprocessableEntity)

		if len(p.Errors) != 1 || p.Errors[0].Location != "header."+rest.KeyHeader {
			t.Errorf("%s: got %+v, want the header named", name, p)
		}
	}
}

func TestIdempotencyKey_BelongsToItsUser(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	mine := rig.Keyed("POST", "/apps", "k", `{"name":"shop"}`)
	theirs := mine
	theirs.Token = rig.AdminToken
	r.Do(mine)

	got := r.Do(theirs)

	rig.WantProblem(t, got, http.StatusConflict)
}

func TestIdempotencyKey_BadOnesAreRefused(t *testing.T) {
	t.Parallel()
	r := rig.New(t)

	for _, key := range []string{strings.Repeat("k", 256), "a\tb", "schlüssel"} {
		got := r.Do(rig.Keyed("POST", "/apps", key, `{"name":"shop"}`))

		p := rig.WantProblem(t, got, http.StatusUnprocessableEntity)
		if len(p.Errors) != 1 || p.Errors[0].Location != "header."+rest.KeyHeader {
			t.Errorf("key %.20q: got %s, want the header named", key, got.Body)
		}
	}
}

func TestIdempotencyKey_OnlyWritesTakeIt(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	r.Admin("POST", "/apps", `{"name":"shop"}`)

	for op := range rest.Operations(r.API.OpenAPI()) {
		documented := false
		for _, p := range op.Parameters {
			documented = documented || p.Name == rest.KeyHeader
		}

		// A sign-in is never told again: its answer is a key to everything.
		want := op.Method != http.MethodGet && !strings.HasSuffix(op.Path, "/archive") && op.OperationID != "post-session" && op.OperationID != "post-session-links"
		if documented != want {
			t.Errorf("%s: got %s documented: %t, want %t", op.OperationID, rest.KeyHeader, documented, want)
		}
	}
	for range 2 {
		got := r.Do(rig.Keyed("GET", "/apps", "k", ""))
		if got.Status != http.StatusOK || got.Header.Get("Idempotency-Replayed") != "" {
			t.Errorf("got %d, replayed %q, want a fresh list", got.Status, got.Header.Get("Idempotency-Replayed"))
		}
	}
}

func TestIdempotencyKey_ConcurrentRepeatsAreDoneOnce(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	r.Admin("POST", "/apps", `{"name":"shop"}`)
	answers := make([]rig.Answer, 16)

	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			a, err := r.Try(t.Context(), rig.Keyed("POST", "/apps/shop/deploys", "k", `{"image":"img:1"}`))
			if err != nil {
				t.Error(err)
			}
			answers[i] = a
		})
	}
	group.Wait()

	for i, a := range answers {
		if a.Status != http.StatusAccepted || string(a.Body) != string(answers[0].Body) {
			t.Errorf("answer %d: got %d %s, want %s", i, a.Status, a.Body, answers[0].Body)
		}
	}
	if list := rig.As[wire.Page[wire.Job]](t, r.Admin("GET", "/jobs?app=shop", "")); len(list.Items) != 1 {
		t.Errorf("got %d operations, want one", len(list.Items))
	}
}

// echo is an operation whose handler the test holds in its hand.
type echo struct {
	calls  atomic.Int32
	handle func(ctx context.Context) error
}

func newEcho(r *rig.Rig) *echo {
	e := &echo{}
	rest.Register(r.API, rest.Route{Method: rest.Post, Path: "/echo", Summary: "Echo", Role: access.Developer, Subject: access.OnCluster}, func(ctx context.Context, _ *struct{}) (*rest.Reply[wire.Accepted], error) {
		n := e.calls.Add(1)
		return rest.OK(wire.Accepted{Message: fmt.Sprint(n)}, e.handle(ctx))
	})
	return e
}

func TestIdempotencyKey_WhatFailedOnOurSideIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	e := newEcho(r)
	for _, fault := range []error{cluster.Unavailable("away"), errors.New("bug")} {
		key := fault.Error()
		e.calls.Store(0)
		e.handle = func(context.Context) error { return fault }
		first := r.Do(rig.Keyed("POST", "/echo", key, ""))
		e.handle = func(context.Context) error { return nil }

		second := r.Do(rig.Keyed("POST", "/echo", key, ""))
		third := r.Do(rig.Keyed("POST", "/echo", key, ""))

		if first.Status < 500 || second.Status != http.StatusOK || string(second.Body) != string(third.Body) || e.calls.Load() != 2 {
			t.Errorf("%v: got %d, %d %s, %s in %d calls; want a failure, then one answer twice", fault, first.Status, second.Status, second.Body, third.Body, e.calls.Load())
		}
	}
}

func TestIdempotencyKey_AClientThatLeavesFindsItsAnswer(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	e := newEcho(r)
	begun, goOn := make(chan struct{}), make(chan struct{})
	e.handle = func(ctx context.Context) error {
		close(begun)
		<-goOn
		return ctx.Err()
	}
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := r.Try(ctx, rig.Keyed("POST", "/echo", "k", ""))
		left <- err
	}()
	<-begun
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the client gone", err)
	}
	close(goOn)

	got := r.Do(rig.Keyed("POST", "/echo", "k", ""))

	if got.Status != http.StatusOK || e.calls.Load() != 1 || rig.As[wire.Accepted](t, got).Message != "1" {
		t.Errorf("got %d %s after %d calls, want the answer of the only one", got.Status, got.Body, e.calls.Load())
	}
}

func TestIdempotencyKey_OneThatWasCutOffIsInDoubt(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	e := newEcho(r)
	e.handle = func(context.Context) error { panic(http.ErrAbortHandler) }
	_, err := r.Try(t.Context(), rig.Keyed("POST", "/echo", "k", ""))
	if err == nil {
		t.Fatal("got an answer, want none")
	}

	got := r.Do(rig.Keyed("POST", "/echo", "k", ""))

	p := rig.WantProblem(t, got, http.StatusConflict)
	if !strings.Contains(p.Detail, "new key") || e.calls.Load() != 1 {
		t.Errorf("got %q after %d calls, want what to do, and no second call", p.Detail, e.calls.Load())
	}
}

func TestIdempotencyKey_KeepsNoSecretInTheClear(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	a := rig.Keyed("POST", "/node-tokens", "k", `{"name":"n1","roles":["heart"]}`)
	a.Token = rig.AdminToken
	created := rig.As[wire.JoinTokenCreated](t, r.Do(a))

	again := rig.As[wire.JoinTokenCreated](t, r.Do(a))

	if created.Token == "" || again.Token != created.Token || r.Grep(created.Token) {
		t.Errorf("got tokens %q and %q, in the clear on disk: %t", created.Token, again.Token, r.Grep(created.Token))
	}
}

func TestIdempotencyKey_IsKeptForADay(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	r.Do(rig.Keyed("POST", "/apps", "k", `{"name":"shop"}`))
	created := time.Now()

	testkit.Must(t, r.Store.DeleteIdempotencyKeys(t.Context(), created.Add(-24*time.Hour).UnixNano()))
	kept := r.Do(rig.Keyed("POST", "/apps", "k", `{"name":"shop"}`))
	testkit.Must(t, r.Store.DeleteIdempotencyKeys(t.Context(), time.Now().Add(time.Second).UnixNano()))
	forgotten := r.Do(rig.Keyed("POST", "/apps", "k", `{"name":"shop"}`))

	if kept.Status != http.StatusCreated {
		t.Errorf("got %d %s, want the first answer", kept.Status, kept.Body)
	}
	rig.WantProblem(t, forgotten, http.StatusConflict)
}
