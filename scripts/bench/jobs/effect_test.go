package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
)

func TestEffect_IsMadeOnceAndInOrder(t *testing.T) {
	t.Parallel()
	rdb := testkit.Redis(t).Client(t)

	var got []int
	for _, job := range []string{"a", "b", "a"} {
		n, err := makeEffect(t.Context(), rdb, job).Int()
		if err != nil {
			t.Fatalf("the effect of %s: %v", job, err)
		}
		got = append(got, n)
	}
	e, err := readEffects(t.Context(), rdb)
	if err != nil {
		t.Fatalf("readEffects: %v", err)
	}

	if want := []int{1, 1, 0}; !cmp.Equal(got, want) {
		t.Errorf("answers: got %v, want %v", got, want)
	}
	if want := map[string]int{"a": 1, "b": 2}; !cmp.Equal(e.order, want) {
		t.Errorf("order: got %v, want %v", e.order, want)
	}
	if want := map[string]int{"a": 2, "b": 1}; !cmp.Equal(e.executions, want) {
		t.Errorf("executions: got %v, want %v", e.executions, want)
	}
}
