package main

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestGenerate_TheDashboardHasTheShapesOfTheAPI(t *testing.T) {
	have, err := os.ReadFile("../../web/dashboard/ui/src/types.ts")
	if err != nil {
		t.Fatal(err)
	}

	if want := Generate(); string(have) != want {
		t.Errorf("types.ts is not what web/wire says (write it anew: go generate ./web/wire):\ngot\n%s\nwant\n%s", have, want)
	}
}

func TestWriter_SaysWhatMayBeMissingOrNull(t *testing.T) {
	type inner struct {
		N int `json:"n"`
	}
	type base struct {
		B bool `json:"b"`
	}
	type outer struct {
		base
		Text  string         `json:"text" doc:"said"`
		Kind  string         `json:"kind" enum:"a,b"`
		Maybe string         `json:"maybe,omitempty"`
		At    *time.Time     `json:"at"`
		Ended *time.Time     `json:"ended,omitempty"`
		List  []inner        `json:"list"`
		Gaps  []*float64     `json:"gaps"`
		None  []uint32       `json:"none" nullable:"true"`
		Tags  map[string]int `json:"tags"`
	}
	w := &writer{names: map[reflect.Type]string{}}

	w.shape(shape{"Outer", reflect.TypeFor[outer]()})

	want := `
export interface Outer extends base {
  text: string; // said
  kind: "a" | "b";
  maybe?: string;
  at: string | null;
  ended?: string;
  list: inner[];
  gaps: (number | null)[];
  none: number[] | null;
  tags: Record<string, number>;
}
`
	if got := w.out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if len(w.queue) != 2 {
		t.Errorf("got %d shapes to write yet, want inner and base", len(w.queue))
	}
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "no counterpart") {
			t.Errorf("got %q, want the type without a counterpart named", text)
		}
	}()
	w.typeOf(reflect.TypeFor[chan int](), "")
}
