package testkit

import "testing"

func TestUsage_IsIdleOnlyWhereNothingIsDone(t *testing.T) {
	before := parseUsage("cpu  100 0 100 1000 50 0 0 0 7 7\ncpu0 1 1 1 1\n")
	tests := []struct {
		name, stat string
		want       float64
	}{
		{"half idle", "cpu  150 0 150 1100 50 0 0 0 7 7\n", 0.5},
		{"waits for the disk", "cpu  100 0 100 1000 150 0 0 0 7 7\n", 0},
		{"another machine has the time", "cpu  100 0 100 1050 50 0 0 50 7 7\n", 0.5},
		{"guests are counted once", "cpu  200 0 100 1000 50 0 0 0 107 7\n", 0},
		{"at the same time", "cpu  100 0 100 1000 50 0 0 0 7 7\n", 0},
		{"no such file", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := parseUsage(tt.stat).idleSince(before); got != tt.want {
				t.Errorf("got %v idle, want %v", got, tt.want)
			}
		})
	}
	if u := readUsage(); u.all <= 0 || u.idle < 0 || u.idle > u.all {
		t.Errorf("this machine: got %+v", u)
	}
}
