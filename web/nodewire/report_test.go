package nodewire

import (
	"strings"
	"testing"
)

// People read what a node says of itself, among what the others say.
func TestReports_SayNoMoreThanPeopleRead(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 5000)
	r := Report{Parts: []Part{{Fault: long}}, Instances: []InstanceStatus{{Error: long}}}.Domain()
	router := RouterReport{Limits: make([]RouterLimit, 5000), Stuck: make([]int, 5000)}
	router.Limits[0].Name = long

	got := router.Domain()

	if n, m := len(r.Parts[0].Fault), len(r.Instances[0].Error); n > 2<<10 || m > 2<<10 || n == 0 || m == 0 {
		t.Errorf("got a fault of %d bytes and an error of %d, want 2 kB of each", n, m)
	}
	if len(got.Limits) != 64 || len(got.Stuck) != 64 || len(got.Limits[0].Name) > 253 {
		t.Errorf("got %d limits, %d stuck workers and a name of %d bytes, want 64, 64 and 253 at most", len(got.Limits), len(got.Stuck), len(got.Limits[0].Name))
	}
}
