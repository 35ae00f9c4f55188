package api

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/web/wire"
)

func TestHeldSeries_LastsWhileItIsFresh(t *testing.T) {
	t.Parallel()
	h := &heldSeries{span: span{time.Hour, time.Minute}}
	n := 0
	compute := func(q SeriesQuery) (wire.Series, error) {
		n++
		if n == 3 {
			return wire.Series{}, errors.New("away")
		}
		return columns(q, nil), nil
	}
	start := time.Unix(1_700_000_040, 0) // a whole minute

	var got []string
	for _, after := range []time.Duration{time.Second, 10 * time.Second, 11 * time.Second, 21 * time.Second, 70 * time.Second} {
		s, err := h.get(start.Add(after), compute)
		if err != nil {
			s.From = start.Add(-time.Hour).Unix()
		}
		got = append(got, fmt.Sprintf("%d %d %t", n, s.From-start.Add(-time.Hour).Unix(), err != nil))
	}

	want := []string{"1 0 false", "1 0 false", "2 60 false", "3 0 true", "4 120 false"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("computations, start and failure: got - want +\n%s", diff)
	}
}
