package following

import (
	"fmt"
	"testing"

	"aorta/pacemaker/cluster"
)

func TestPosition_SaysWhatItCanOrNothing(t *testing.T) {
	t.Parallel()
	m := Position{before: 5, jobs: map[string]string{}}
	for range 3 {
		m.jobs[string(cluster.NewID())] = "7-1"
	}
	m.jobs[string(cluster.NewID())] = "4-1" // emitted by before

	text := m.String()
	back, err := ParsePosition("from", text)

	if err != nil || back.before != 5 || len(back.jobs) != 3 || back.String() != text {
		t.Errorf("got %+v (%v) from %q, want the three jobs that are further", back, err, text)
	}
	for i := range 400 {
		m.jobs[string(cluster.NewID())] = fmt.Sprintf("9-%d", i)
	}
	if got := m.String(); got != "" {
		t.Errorf("got %d bytes of many jobs, want none that no client could send", len(got))
	}
}

func FuzzParsePosition(f *testing.F) {
	id := string(cluster.NewID())
	for _, s := range []string{"", "0", "12", "12," + id + "=12-0", "12," + id + "=13-1," + id + "=14-0", "12,", "x", "12,a=1-1", "-1", "12," + id + "=12"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParsePosition("id", s)
		if err != nil {
			if cluster.CodeOf(err) != cluster.CodeInvalid {
				t.Errorf("%q: got %v, want it invalid", s, err)
			}
			return
		}

		again, err := ParsePosition("id", m.String())

		if err != nil || again.String() != m.String() {
			t.Errorf("%q: got %q (%v), want it stable", s, again, err)
		}
		for job, cursor := range m.jobs {
			if cursorLess(m.of(job), cursor) {
				t.Errorf("%q: job %s goes on after %s, want not before %s", s, job, m.of(job), cursor)
			}
		}
	})
}
