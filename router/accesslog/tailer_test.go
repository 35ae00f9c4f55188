package accesslog

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aorta/internal/testkit"
	"aorta/router/stats"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

func TestTailer_CountsEachLineOnce(t *testing.T) {
	cases := map[string]func(l *logFile, m *memory){
		"followed": func(l *logFile, m *memory) {
			l.start(m)
			l.counted(m)
			l.write(500)
		},
		"restarted": func(l *logFile, m *memory) {
			l.start(m).stop()
			l.write(500)
			l.start(m)
		},
		"renamed, its writer goes on": func(l *logFile, m *memory) {
			l.start(m)
			l.rename(".1")
			l.write(500)
			l.counted(m)
			l.write(50)
			l.open()
			l.write(500)
		},
		"renamed twice while nobody reads": func(l *logFile, m *memory) {
			l.start(m).stop()
			l.write(500)
			l.rename(".2")
			l.open()
			l.write(500)
			l.rename(".1")
			l.open()
			l.write(500)
			l.start(m)
		},
		"copied and truncated": func(l *logFile, m *memory) {
			l.start(m)
			l.counted(m)
			l.copyTruncate(".1")
			l.write(10)
		},
		"copied, truncated and refilled beyond the old size": func(l *logFile, m *memory) {
			l.start(m)
			l.counted(m)
			l.write(100)
			l.copyTruncate(".1")
			l.write(3000)
		},
		"copied and truncated while nobody reads": func(l *logFile, m *memory) {
			r := l.start(m)
			l.counted(m)
			r.stop()
			l.write(300)
			l.copyTruncate(".2")
			l.write(2000)
			l.copyTruncate(".1")
			l.write(20)
			l.start(m)
		},
		"a copy made by hand": func(l *logFile, m *memory) {
			text, err := os.ReadFile(l.path)
			testkit.Must(l.tb, err)
			testkit.Must(l.tb, os.WriteFile(l.path+".keep", text[:len(text)/2], 0o600))
			r := l.start(m)
			l.write(10)
			l.counted(m)
			r.stop()
			l.rename(".1")
			l.open()
			l.write(10)
			l.start(m)
		},
		"deleted under its writer": func(l *logFile, m *memory) {
			l.start(m)
			l.counted(m)
			testkit.Must(l.tb, os.Remove(l.path))
			l.write(100)
			l.counted(m)
			l.open()
			l.write(100)
		},
	}
	for name, schedule := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, m := newLogFile(t), newMemory()
			l.write(1000)

			schedule(l, m)

			l.counted(m)
		})
	}
}

func TestTailer_CountsEachLineOnceThoughCommitsFail(t *testing.T) {
	t.Parallel()
	l, m := newLogFile(t), newMemory()
	n := 0
	m.fault = func() (bool, error) {
		if n++; n%7 == 0 || n%11 == 0 {
			return n%11 == 0, errInjected
		}
		return false, nil
	}
	l.start(m)

	for range 20 {
		l.write(100)
		seen := l.n / 2
		testkit.Eventually(t, "half of the lines", func() bool {
			total := 0
			for _, c := range m.counts() {
				total += c
			}
			return total >= seen
		})
	}
	m.set(func(m *memory) { m.fault = nil })

	l.counted(m)
}

func TestTailer_HoldsAPartialLineAndCountsRejects(t *testing.T) {
	t.Parallel()
	l, m := newLogFile(t), newMemory()
	r := l.start(m)
	l.write(10)
	whole := lineOf(11, "app-11")

	_, err := l.fd.WriteString("nonsense\n\n" + whole[:50])
	testkit.Must(l.tb, err)
	l.counted(m)
	testkit.Eventually(t, "two rejects", func() bool { return r.Rejected() == 2 })
	_, err = l.fd.WriteString(whole[50:])
	testkit.Must(l.tb, err)
	l.n++
	l.want[l.shard("app-11")]++

	l.counted(m)
}

func TestTailer_CommitsWhatItReadWhenItIsStopped(t *testing.T) {
	t.Parallel()
	l, m := newLogFile(t), newMemory()
	tailer := NewTailer(Config{Path: l.path, Router: "x1", Store: m, CommitEvery: time.Hour})
	session := newSession(tailer, [stats.Shards]stats.Position{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- session.run(ctx) }()
	l.write(5000)
	testkit.Eventually(t, "the lines to be read", func() bool {
		session.mu.Lock()
		defer session.mu.Unlock()
		return session.adder.lines == 5000
	})

	cancel()
	err := <-ended
	session.close()

	if got := m.counts(); got != l.want || err != nil {
		t.Errorf("counted by shard:\n got %v (%v)\nwant %v", got, err, l.want)
	}
	if bytes, age := tailer.Lag(); bytes != 0 || age != 0 {
		t.Errorf("lag: got %d bytes and %v, want none", bytes, age)
	}
}

func TestTailer_LeavesTheBacklogOnDiskWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	l, m := newLogFile(t), newMemory()
	m.fault = func() (bool, error) { return false, errInjected }
	r := l.start(m, func(c *Config) { c.MaxBacklog = 100 })
	l.write(20_000)

	testkit.Eventually(t, "the lag to be the file", func() bool {
		info, err := os.Stat(l.path)
		bytes, _ := r.Lag()
		return err == nil && bytes == info.Size()
	})
	m.set(func(m *memory) { m.fault = nil })

	l.counted(m)
	testkit.Eventually(t, "no lag", func() bool { bytes, _ := r.Lag(); return bytes == 0 })
}

func TestTailer_IsNotLateAfterATimeWithoutRequests(t *testing.T) {
	t.Parallel()
	l, m := newLogFile(t), newMemory()
	r := l.start(m)
	l.write(1)
	l.counted(m)
	testkit.Eventually(t, "no lag", func() bool { bytes, _ := r.Lag(); return bytes == 0 })
	r.mu.Lock()
	r.counted = r.counted.Add(-time.Hour)
	r.mu.Unlock()
	m.set(func(m *memory) { m.fault = func() (bool, error) { return false, errInjected } })

	l.write(1)

	testkit.Eventually(t, "a line that is not counted", func() bool { bytes, _ := r.Lag(); return bytes > 0 })
	if _, age := r.Lag(); age >= time.Hour {
		t.Errorf("got counts %v old, want the time since all were counted", age)
	}
}

func TestTailer_RotatesAndDeletesOnlyWhatIsOnTheStoresDisk(t *testing.T) {
	t.Parallel()
	l, m := newLogFile(t), newMemory()
	m.durable = false
	reopen := make(chan struct{}, 100)
	r := l.start(m, func(c *Config) {
		c.RotateBytes = 10_000
		c.Reopen = func() error { reopen <- struct{}{}; return nil }
	})
	rotated := func() []string {
		all, _ := filepath.Glob(l.path + ".*")
		return all
	}
	l.write(100)

	<-reopen
	l.write(10) // nginx has the old one open still
	l.open()
	l.write(10)
	l.counted(m)

	if got := rotated(); len(got) != 1 || !ours(l.path, got[0]) {
		t.Fatalf("rotated logs before the statistics are on disk: got %v, want one of ours", got)
	}
	m.set(func(m *memory) { m.durable = true })
	testkit.Eventually(t, "the counted log to be deleted", func() bool { return len(rotated()) == 0 })
	r.stop()
	l.start(m)
	l.write(1)
	l.counted(m)
}

func TestTailer_AsksForALogThatIsMissing(t *testing.T) {
	t.Parallel()
	l, m := newLogFile(t), newMemory()
	l.write(10)
	l.rename("." + strconv.FormatInt(time.Now().UnixNano(), 10))
	reopen := make(chan struct{}, 100)

	l.start(m, func(c *Config) { c.Reopen = func() error { reopen <- struct{}{}; return nil } })
	<-reopen
	l.open()
	l.write(10)

	l.counted(m)
}

func TestUnwritten_SeesAWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	w, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()

	open, err1 := unwritten(r)
	_ = w.Close()
	closed, err2 := unwritten(r)

	if open || !closed || err1 != nil || err2 != nil {
		t.Errorf("unwritten: got %v (%v) with a writer and %v (%v) without; want false, true", open, err1, closed, err2)
	}
}

func TestList_LeavesOutPackedAndForeignFiles(t *testing.T) {
	l := newLogFile(t)
	l.write(1)
	for _, end := range []string{".1", ".2.gz", "x"} {
		testkit.Must(l.tb, os.WriteFile(l.path+end, []byte("a\n"), 0o644))
	}

	all, complete, err := list(l.path)

	var got []string
	for _, f := range all {
		got = append(got, strings.TrimPrefix(f.fd.Name(), l.path))
		_ = f.fd.Close()
	}
	if err != nil || !complete || strings.Join(got, " ") != " .1" {
		t.Errorf("list: got %q (%v), want the log and .1", got, err)
	}
}

func TestTailer_CountsThoughItCannotDelete(t *testing.T) {
	t.Parallel()
	l, m := newLogFile(t), newMemory()
	l.write(10)
	l.rename("." + strconv.FormatInt(time.Now().UnixNano(), 10))
	l.open()
	l.start(m, func(c *Config) {
		c.Store = brokenDisk{m}
		c.Reopen = func() error { return nil }
	})
	l.counted(m)

	l.write(100)

	l.counted(m)
}

func TestTailer_KeepsALogWhoseCommitTheStoreLost(t *testing.T) {
	t.Parallel()
	l, m := newLogFile(t), newMemory()
	m.durable = false
	l.write(1000)
	l.rename("." + strconv.FormatInt(time.Now().UnixNano(), 10))
	l.open()
	l.start(m, func(c *Config) { c.Reopen = func() error { return nil } })
	l.write(10)
	l.counted(m)
	// A shard without hits commits its position every five seconds only.
	testkit.Eventually(t, "the tailer to ask whether it may delete", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.asked > 0
	})

	m.set(func(m *memory) {
		m.at, m.count = map[string][stats.Shards]stats.Position{}, [stats.Shards]int{}
		m.durable = true
	})

	l.counted(m)
}
