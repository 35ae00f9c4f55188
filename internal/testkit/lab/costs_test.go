package lab

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aorta/internal/testkit"
)

func TestCosts_PrintATable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var all Costs
		lost := &Cost{Fault: "b: a host is lost", Gets: &Tally{OK: 300}, Posts: &Tally{OK: 90, Failed: 10}}
		lost.Strikes()
		<-time.After(1500 * time.Millisecond)
		lost.Known()
		<-time.After(8 * time.Second)
		lost.Known()
		lost.Whole()
		all.Add(lost)
		cut := &Cost{Fault: "c: a host is cut off for a while"}
		cut.Strikes()
		<-time.After(time.Minute)
		cut.Ends()
		<-time.After(2 * time.Second)
		cut.Whole()
		all.Add(cut)
		all.Add(&Cost{Fault: "a: nobody asks"})

		var got strings.Builder
		testkit.Must(t, all.Print(&got))

		want := costsHead + "| a: nobody asks | — | — | — | — |\n| b: a host is lost | 0 of 300 | 10 of 100 | 1.5 s | 9.5 s |\n" +
			"| c: a host is cut off for a while | — | — | — | 2.0 s |\n"
		if got.String() != want {
			t.Errorf("got\n%s\nwant\n%s", &got, want)
		}
	})
}
