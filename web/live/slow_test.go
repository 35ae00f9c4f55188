package live_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/internal/rig"
	"aorta/web/rest"
)

// sleep opens streams whose readers take nothing but the beginning.
func sleep(r *rig.Rig, readers int) {
	r.TB.Helper()
	for i := range readers {
		token := []string{rig.ViewerToken, rig.DeveloperToken}[i%2] // one alone may not have so many
		address := strings.TrimPrefix(r.URL, "http://")
		conn, err := net.Dial("tcp", address)
		testkit.Must(r.TB, err)
		r.TB.Cleanup(func() { _ = conn.Close() })
		testkit.Must(r.TB, conn.(*net.TCPConn).SetReadBuffer(2048))
		_, err = fmt.Fprintf(conn, "GET %s/live?topics=overview,apps,jobs,logs:shop HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", rest.Prefix, address, token)
		testkit.Must(r.TB, err)
		head := make([]byte, len("HTTP/1.1 200"))
		if _, err := conn.Read(head); err != nil || !strings.HasSuffix(string(head), "200") {
			r.TB.Fatalf("got %q, %v; want a stream", head, err)
		}
	}
}

// printer prints lines of 500 bytes of one instance.
type printer struct {
	r        *rig.Rig
	app      cluster.ID
	instance cluster.ID
	printed  int
}

func (p *printer) print(n int) {
	p.r.TB.Helper()
	lines := make([]cluster.LogText, n)
	for i := range lines {
		lines[i] = cluster.LogText{Time: time.Now(), Stream: "stdout", Text: fmt.Sprintf("%07d%s", p.printed+i, strings.Repeat("x", 493))}
	}
	from := ""
	if p.printed > 0 {
		from = fmt.Sprint(p.printed)
	}
	refused, err := p.r.Logs.Append(p.r.TB.Context(), []cluster.LogPart{{
		App: p.app, Instance: p.instance, Type: "web", From: from, To: fmt.Sprint(p.printed + n), Lines: lines,
	}})
	testkit.Must(p.r.TB, err)
	if len(refused) > 0 {
		p.r.TB.Fatalf("got %v refused", refused)
	}
	p.printed += n
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// openBelow counts this process' open files below a directory.
func openBelow(tb testing.TB, dir string) (n int) {
	tb.Helper()
	fds, err := filepath.Glob("/proc/self/fd/*")
	testkit.Must(tb, err)
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && strings.HasPrefix(to, dir) {
			n++
		}
	}
	return n
}

// Readers that take nothing hold a page of the log each, which they share, and no
// file of it.
func TestStreams_SlowReadersOfALogHoldLittle(t *testing.T) {
	r := rig.New(t)
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	p := &printer{r: r, app: app.ID, instance: cluster.NewID()}
	p.print(1000)
	before := heap()
	sleep(r, 400)

	var most, files int
	for range 5 {
		p.print(1000)
		most, files = max(most, heap()-before), max(files, openBelow(t, filepath.Join(r.Dir, "logs")))
		r.Do(rig.Ask{Method: "GET", Path: "/status", Token: rig.AdminToken})
	}

	if most > 60<<20 || files > 10 {
		t.Errorf("got %d MB and %d open files of the log held for 400 readers, want at most 60 and 10", most>>20, files)
	}
}

// The figures of make bench-streams: what an answer takes while an app prints 500 kB
// at a time, without readers of its log and with as many as two people may have, none
// of whom reads.
func BenchmarkStreams(b *testing.B) {
	alone := 0.0
	for _, readers := range []int{0, 400} {
		b.Run(fmt.Sprintf("readers=%d", readers), func(b *testing.B) {
			r := rig.New(b)
			app, err := r.Pace.CreateApp(b.Context(), "shop", "admin")
			testkit.Must(b, err)
			p := &printer{r: r, app: app.ID, instance: cluster.NewID()}
			p.print(1000)
			before := heap()
			sleep(r, readers)
			cpu, most, n := testkit.CPUTime(b), 0, 0
			for b.Loop() {
				b.StopTimer()
				p.print(1000)
				b.StartTimer()
				r.Do(rig.Ask{Method: "GET", Path: "/status", Token: rig.AdminToken})
				b.StopTimer()
				most, n = max(most, heap()-before), n+1
				b.StartTimer()
			}
			each := b.Elapsed().Seconds() * 1000 / float64(n)
			b.ReportMetric(each, "ms/status")
			b.ReportMetric(float64((testkit.CPUTime(b)-cpu).Milliseconds())/float64(n), "cpu-ms/op")
			b.ReportMetric(float64(most)/(1<<20), "MB")
			if readers == 0 {
				alone = each
				return
			}
			b.ReportMetric(each/alone, "x-status")
		})
	}
}
