package accesslog

import (
	"fmt"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aorta/internal/testkit"
	"aorta/router/stats"
)

// Whatever is done to the log and the tailer, each line counts once. The writer
// is quiet while the log is copied and truncated: lines written in between are
// lost by that way of rotating, whoever reads.
func TestTailer_CountsEachLineOnceUnderAnySchedule(t *testing.T) {
	t.Parallel()
	deadline := time.Now().Add(3 * time.Second)
	rapid.Check(t, func(rt *rapid.T) {
		if time.Now().After(deadline) {
			return
		}
		l, m := newLogFile(t), newMemory()
		var r *running
		stop := func() {
			if r != nil {
				r.stop()
				r = nil
			}
		}
		steps := rapid.SliceOfN(rapid.SampledFrom([]string{
			"write", "write", "write", "rename", "copytruncate", "toggle", "toggle", "fail", "lose", "count",
		}), 1, 12).Draw(rt, "steps")
		for n, step := range steps {
			switch step {
			case "write":
				l.write(rapid.IntRange(1, 400).Draw(rt, "lines"))
			case "rename":
				l.rename(fmt.Sprintf(".%d", n))
				l.write(rapid.IntRange(0, 3).Draw(rt, "late lines"))
				l.open()
			case "copytruncate":
				l.copyTruncate(fmt.Sprintf(".%d", n))
			case "toggle":
				if r != nil {
					stop()
					continue
				}
				started := l.start(m)
				r = &started
			case "fail", "lose":
				m.failOnce(step == "lose")
			case "count":
				if r != nil {
					l.counted(m)
				}
			}
		}
		stop()
		last := l.start(m)
		l.counted(m)
		last.stop()
		_ = l.fd.Close()
	})
}

// failOnce makes the next commit fail; lost says that only its answer does.
func (m *memory) failOnce(lost bool) {
	m.set(func(m *memory) {
		m.fault = func() (bool, error) {
			m.fault = nil
			return lost, errInjected
		}
	})
}

// Rotated logs that begin alike are no copies of each other when they were
// renamed.
func TestTailer_TellsEqualLogsFromCopies(t *testing.T) {
	t.Parallel()
	l, m := newLogFile(t), newMemory()
	same := lineOf(1, "app-1")
	write := func() {
		_, err := l.fd.WriteString(same + same)
		testkit.Must(l.tb, err)
		l.want[l.shard("app-1")] += 2
	}
	write()
	r := l.start(m)
	l.counted(m)
	l.rename(".1")
	l.open()
	write()
	l.counted(m)
	r.stop()

	l.rename(".2")
	l.open()
	write()
	l.start(m)

	l.counted(m)
}

func TestTailer_ReadsALogAgainThatWasTruncatedAndBeginsAlike(t *testing.T) {
	t.Parallel()
	l, m := newLogFile(t), newMemory()
	l.write(100)
	l.start(m)
	l.counted(m)

	testkit.Must(l.tb, os.Truncate(l.path, 0))
	l.n = 0
	l.write(50)

	l.counted(m)
}

func TestTailer_EndsACommitThatWasUnderWayWhenItIsStopped(t *testing.T) {
	t.Parallel()
	l, m := newLogFile(t), newMemory()
	entered, release := make(chan struct{}), make(chan struct{})
	slow := &slowStore{memory: m, entered: entered, release: release}
	l.write(1000)
	r := l.start(slow)
	<-entered

	r.cancel()
	close(release)
	r.stop()

	if got := m.counts(); got == [stats.Shards]int{} {
		t.Error("after the stop nothing was counted, want what had been read")
	}
	l.start(m)
	l.counted(m)
}
