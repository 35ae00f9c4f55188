package client

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aorta/internal/pause"
	"aorta/pacemaker/cluster"
)

// expired is the answer to a call whose certificate is out of its time.
func expired() error {
	return &cluster.Error{Code: cluster.CodeForbidden, Message: "the node's certificate has expired", Err: &StatusError{Status: http.StatusUnauthorized}}
}

// A certificate that can't be renewed for now refuses nobody: the pacemaker is away, as
// long as a renewal fails, and it is asked for one ever less often.
func TestRenewal_ThatFailsIsTriedAgainEverLessOften(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Duration
		works, from := false, time.Now()
		r := renewal{by: func(context.Context) error {
			asked = append(asked, time.Since(from))
			if works {
				return nil
			}
			return cluster.Unavailable("the disk is full")
		}}
		call := func() error {
			return r.afterRefusal(t.Context(), expired(), func() bool { return false }, func() error { return nil })
		}

		for range 600 {
			err := call()
			if cluster.CodeOf(err) != cluster.CodeUnavailable || !strings.Contains(err.Error(), "has expired; it could not be renewed") || !strings.Contains(err.Error(), "the disk is full") {
				t.Fatalf("after %v: got %v, want that it can't be had for now, and both causes", time.Since(from), err)
			}
			pause.For(t.Context(), time.Second)
		}
		failed := len(asked)
		works = true
		for call() != nil {
			pause.For(t.Context(), time.Second)
		}

		if failed < 10 || failed > 20 || asked[1] > 2*time.Second || asked[failed-1]-asked[failed-2] < 45*time.Second {
			t.Errorf("asked after %v, want pauses from a second to a minute", asked[:failed])
		}
		if err := call(); err != nil || len(asked) != failed+2 {
			t.Errorf("got %v after %d more, want one that is refused later to be renewed at once", err, len(asked)-failed)
		}
	})
}

func TestRenewal_EndsWhoIsRefusedItself(t *testing.T) {
	t.Parallel()
	fresh := func() bool { return false }
	for name, c := range map[string]struct {
		renewed, again error
		want           cluster.Code
	}{
		"a node that was removed":     {&cluster.Error{Code: cluster.CodeRemoved, Message: "gone"}, nil, cluster.CodeRemoved},
		"a stranger":                  {expired(), nil, cluster.CodeForbidden},
		"a pacemaker that is away":    {cluster.Unavailable("away"), nil, cluster.CodeUnavailable},
		"a new one that has expired":  {nil, expired(), cluster.CodeUnavailable},
		"a session that was ended":    {nil, cluster.Conflict("none is open"), cluster.CodeConflict},
		"a pacemaker that has failed": {context.DeadlineExceeded, nil, cluster.CodeUnavailable},
	} {
		r := renewal{by: func(context.Context) error { return c.renewed }}

		err := r.afterRefusal(t.Context(), expired(), fresh, func() error { return c.again })

		if cluster.CodeOf(err) != c.want {
			t.Errorf("%s: got %v (%s), want it %s", name, err, cluster.CodeOf(err), c.want)
		}
	}
	none := renewal{}
	if err := none.afterRefusal(t.Context(), expired(), fresh, func() error { return nil }); !unauthorized(err) {
		t.Errorf("without a way to renew it: got %v, want the refusal", err)
	}
}
