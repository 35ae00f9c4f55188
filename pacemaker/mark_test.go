package pacemaker

import (
	"fmt"
	"testing"

	"aorta/pacemaker/cluster"
)

func TestMark_SaysWhatItCanOrNothing(t *testing.T) {
	t.Parallel()
	m := Mark{before: 5, jobs: map[string]string{}}
	for range 3 {
		m.jobs[string(cluster.NewID())] = "7-1"
	}
	m.jobs[string(cluster.NewID())] = "4-1" // told by before

	text := m.String()
	back, err := ParseMark("from", text)

	must(t, err)
	if back.before != 5 || len(back.jobs) != 3 || back.String() != text {
		t.Errorf("got %+v from %q, want the three jobs that are further", back, text)
	}
	for i := range 400 {
		m.jobs[string(cluster.NewID())] = fmt.Sprintf("9-%d", i)
	}
	if got := m.String(); got != "" {
		t.Errorf("got %d bytes of many jobs, want none that no client could send", len(got))
	}
}
