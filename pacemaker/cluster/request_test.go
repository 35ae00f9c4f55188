package cluster

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRequest_IsReadAsItWasEncoded(t *testing.T) {
	for _, want := range []Request{
		{},
		{Build: "b", Commit: "c", Message: "m", Cause: "deploy", Ref: "refs/heads/main", Old: "o"},
		{Replace: []ID{"i"}, Types: []string{"web"}, Revive: true, Retries: "r", Domains: []string{"a.example.com"}},
	} {
		got, err := Operation{Args: want.Encode()}.Request()

		if diff := cmp.Diff(got, want); err != nil || diff != "" {
			t.Errorf("got - want +\n%s%v", diff, err)
		}
	}
}

func TestRequest_ThatCantBeReadNamesItsOperation(t *testing.T) {
	_, err := Operation{ID: "op1", Args: []byte("{")}.Request()

	if err == nil || !strings.Contains(err.Error(), "op1") {
		t.Errorf("got %v, want it to name op1", err)
	}
}
