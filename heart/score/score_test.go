package score_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"aorta/heart/score"
)

func write(t *testing.T, dir, stat string) {
	t.Helper()
	files := map[string]string{"stat": stat, "meminfo": "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\n", "loadavg": "0.42 0.1 0.1 1/200 77\n"}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMeter_MeasuresBetweenReadings(t *testing.T) {
	dir := t.TempDir()
	m := score.New(dir, dir)
	write(t, dir, "cpu  100 0 0 900 0 0 0 0 50 0\n")
	if _, err := m.Read(); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "cpu  190 0 0 900 10 0 0 0 99 0\n")

	got, err := m.Read()

	if err != nil || math.Abs(got.CPU-0.9) > 1e-9 || got.MemoryUsed != 750<<10 || got.MemoryTotal != 1000<<10 || got.LoadAverage != 0.42 {
		t.Errorf("got %+v, %v; want cpu 0.9, memory 750 of 1000 kB, load 0.42", got, err)
	}
	if got.DiskUsed <= 0 || got.DiskFree <= 0 {
		t.Errorf("got %v of the disk used, %d bytes free; want some of both", got.DiskUsed, got.DiskFree)
	}
}

func TestMeter_ReadsThisMachine(t *testing.T) {
	got, err := score.New("/proc", "/").Read()

	if err != nil || got.MemoryTotal == 0 || got.CPUs == 0 || got.Scored().Score <= 0 || got.Scored().Score > 1 {
		t.Errorf("got %+v, %v; want a score in 0 … 1", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("cpu  1 2 3 4 5 6 7 8 9 10\n"))
	f.Add([]byte("MemTotal: 1000 kB\nMemAvailable: 250 kB\n"))
	f.Add([]byte("0.42 1 1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if ticks, err := score.ParseStat(data); err == nil {
			if got := ticks.Since(score.Ticks{}); got < 0 || got > 1 {
				t.Errorf("CPU load %v of %+v", got, ticks)
			}
		}
		if total, available, err := score.ParseMeminfo(data); err == nil && (available < 0 || available > total) {
			t.Errorf("memory %d of %d", available, total)
		}
		if n, err := score.ParseLoadavg(data); err == nil && (math.IsNaN(n) || n < 0) {
			t.Errorf("load %v", n)
		}
	})
}
