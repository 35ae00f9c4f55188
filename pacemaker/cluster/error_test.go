package cluster

import (
	"errors"
	"fmt"
	"testing"
)

func TestCodeOf_FindsTheCodeHoweverDeep(t *testing.T) {
	cause := errors.New("cause")
	for want, err := range map[Code]error{
		CodeInvalid:     Invalid("name", "%q is bad", "x"),
		CodeNotFound:    NotFound("no %s", "app"),
		CodeConflict:    Conflict("no"),
		CodeForbidden:   Forbidden("no"),
		CodeUnavailable: Unavailable("no"),
		CodeInternal:    cause,
	} {
		for name, e := range map[string]error{
			"bare": err, "wrapped": fmt.Errorf("a: %w", fmt.Errorf("b: %w", err)), "joined": errors.Join(cause, err),
		} {
			if got := CodeOf(e); got != want {
				t.Errorf("%s, %s: got %s", want, name, got)
			}
		}
	}
	if got := CodeOf(nil); got != CodeInternal {
		t.Errorf("no error: got %s", got)
	}
}

func TestCodeOf_IsThatOfTheOutermost(t *testing.T) {
	err := &Error{Code: CodeUnavailable, Message: "later", Err: NotFound("gone")}

	if got := CodeOf(err); got != CodeUnavailable {
		t.Errorf("got %s, want the code of who wrapped last", got)
	}
}

func TestError_ShowsTheFieldAndHidesTheCause(t *testing.T) {
	cause := errors.New("the secret of the driver")
	err := &Error{Code: CodeInvalid, Field: "app.name", Message: "is bad", Err: cause}

	if got, want := err.Error(), "app.name: is bad"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause can't be found")
	}
	if got, want := Conflict("app %q is busy", "shop").Error(), `app "shop" is busy`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCheckEpoch(t *testing.T) {
	for _, c := range []struct {
		seen, own uint64
		ok        bool
	}{{0, 0, true}, {1, 1, true}, {1, 2, true}, {2, 1, false}, {1 << 63, 1, false}} {
		if err := CheckEpoch("node n1", c.seen, c.own); (err == nil) != c.ok || !c.ok && CodeOf(err) != CodeUnavailable {
			t.Errorf("seen %d, own %d: got %v, want it accepted: %t", c.seen, c.own, err, c.ok)
		}
	}
}
