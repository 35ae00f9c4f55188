package openresty

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/procs"
	"aorta/internal/testkit"
)

// counts answers with how much of a body came.
func counts(w http.ResponseWriter, req *http.Request) {
	n, err := io.Copy(io.Discard, req.Body)
	_, _ = fmt.Fprintf(w, "%d %v", n, err)
}

// onlyReader hides a length, so that the body goes in chunks.
type onlyReader struct{ io.Reader }

func TestNginx_BodyOfAnySizeArrives(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish(route("up.example.com", newApp(t, counts)))

	for _, size := range []int{0, 1, 16 << 10, 1 << 20, 64 << 20} {
		for _, chunked := range []bool{false, true} {
			var body io.Reader = io.LimitReader(zeros{}, int64(size))
			request, _ := http.NewRequestWithContext(t.Context(), "POST", r.base+"/", body)
			request.Host, request.ContentLength = "up.example.com", int64(size)
			if chunked {
				request.Body, request.ContentLength = io.NopCloser(onlyReader{body}), -1
			}
			answer, err := (&http.Client{}).Do(request)
			if err != nil {
				t.Fatalf("%d bytes, chunked %v: %v", size, chunked, err)
			}
			got, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if want := fmt.Sprintf("%d <nil>", size); answer.StatusCode != 200 || string(got) != want {
				t.Errorf("%d bytes, chunked %v: got %d %q, want 200 %q", size, chunked, answer.StatusCode, got, want)
			}
		}
	}
	r.leavesNoFile()
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// leavesNoFile fails when a body went by way of a file.
func (r *rig) leavesNoFile() {
	r.tb.Helper()
	_ = filepath.WalkDir(filepath.Join(r.cfg.RunDir, "temp"), func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			r.tb.Errorf("temporary file: got %s, want none", path)
		}
		return nil
	})
	text, _ := os.ReadFile(filepath.Join(r.cfg.DataDir, "nginx.log"))
	for _, word := range []string{"Permission denied", "temporary file"} {
		if strings.Contains(string(text), word) {
			r.tb.Errorf("nginx's log: got a %q, want none", word)
		}
	}
}

// A client that reads more slowly than the app writes gets all of it.
func TestNginx_SlowReaderGetsTheWholeAnswer(t *testing.T) {
	t.Parallel()
	const size = 32 << 20
	r := newRig(t)
	r.publish(route("down.example.com", newApp(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.CopyN(w, zeros{}, size)
	})))
	client := r.dial()
	client.send("GET / HTTP/1.1\r\nHost: down.example.com\r\nConnection: close\r\n\r\n")

	status, _ := client.head()
	got, page := 0, make([]byte, 4096)
	for {
		n, err := client.in.Read(page)
		got += n
		if err != nil {
			break
		}
	}

	if status != "HTTP/1.1 200 OK" || got < size {
		t.Errorf("got %s and %d bytes, want 200 and more than %d", status, got, size)
	}
	r.leavesNoFile()
}

// Each line comes back before the next one is sent.
func TestNginx_ChunksPassAsTheyComeBothWays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish(route("echo.example.com", rawApp(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for text := "-"; text != ""; {
			text = w.chunk()
			w.send("%x\r\n%s\r\n", len(text), text)
		}
	})))
	client := r.dial()
	client.send("POST / HTTP/1.1\r\nHost: echo.example.com\r\nTransfer-Encoding: chunked\r\n\r\n")

	for i := range 5 {
		want := fmt.Sprintf("line %d\n", i)
		client.send("%x\r\n%s\r\n", len(want), want)
		if i == 0 {
			client.head()
		}
		if got := client.chunk(); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	client.send("0\r\n\r\n")
	if got := client.chunk(); got != "" {
		t.Errorf("got %q, want the end", got)
	}
}

// An app may answer a body of any size while it comes, and be slower than its
// client.
func TestNginx_LargeBodyIsAnsweredWhileItComes(t *testing.T) {
	t.Parallel()
	const size = 64 << 20
	r := newRig(t, func(c *Config) { c.WorkerProcesses = 1 })
	r.publish(route("echo.example.com", rawApp(t, func(w *wire) {
		w.head()
		// It says that it closes then: a POST on a connection that is kept and being closed fails.
		w.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", size)
		_, _ = io.CopyN(w.Conn, w.in, size)
	})))
	// Whatever the worker's first request is like.
	for _, headers := range []string{"X-Request-Id: a\r\n", ""} {
		r.echoes(size, headers)
	}
}

// echoes sends a body whose echo comes while it is sent.
func (r *rig) echoes(size int64, headers string) {
	t := r.tb
	client := r.dial()
	client.send("POST / HTTP/1.1\r\nHost: echo.example.com\r\n%sContent-Length: %d\r\n\r\n", headers, size)
	sent := make(chan error, 1)
	go func() {
		_, err := io.CopyN(client.Conn, zeros{}, size)
		sent <- err
	}()

	status, _ := client.head()
	got := client.body(size)
	if status != "HTTP/1.1 200 OK" || got != size {
		t.Errorf("got %q and %d bytes, want 200 and all %d", status, got, size)
	}
	if err := <-sent; err != nil {
		t.Errorf("sending: %v", err)
	}
}

// An app that refuses at once is heard at once, and who goes on sending before
// it reads hears it too.
func TestNginx_EarlyRefusalIsHeard(t *testing.T) {
	t.Parallel()
	const size = 50 << 20
	r := newRig(t)
	r.publish(route("up.example.com", rawApp(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n")
		_ = w.Conn.(*net.TCPConn).CloseWrite()
		w.line() // until the router closes
	})))

	for _, readsFirst := range []bool{true, false} {
		client := r.dial()
		client.send("POST / HTTP/1.1\r\nHost: up.example.com\r\nContent-Length: %d\r\n\r\n%1000d", size, 1)
		rest := io.LimitReader(zeros{}, size-1000)
		status := ""
		if readsFirst {
			status, _ = client.head()
		}
		_, err := io.Copy(client.Conn, rest)
		if !readsFirst {
			status, _ = client.head()
		}

		if status != "HTTP/1.1 401 Unauthorized" || err != nil {
			t.Errorf("reads first %v: got %q, and %v while sending the rest, want the 401 and no error", readsFirst, status, err)
		}
		if got := client.body(3); got != 3 {
			t.Errorf("reads first %v: got %d bytes of the answer, want 3", readsFirst, got)
		}
	}
}

// What could not be connected to has got nothing of a body: another instance
// gets all of it.
func TestNginx_StreamedBodyGoesElsewhereOnRefusedConnection(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish(route("up.example.com", newApp(t, counts), deadApp(t)))

	for i := range 4 {
		request, _ := http.NewRequestWithContext(t.Context(), "POST", r.base+"/", onlyReader{io.LimitReader(zeros{}, 1<<20)})
		request.Host = "up.example.com"
		answer, err := r.client.Do(request)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		got, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != 200 || string(got) != "1048576 <nil>" {
			t.Errorf("request %d: got %d %q, want 200 and the whole body", i, answer.StatusCode, got)
		}
	}
	tried := 0
	for _, line := range r.logLines(4) {
		tried += len(line.Tried)
	}
	if tried == 0 {
		t.Errorf("attempts at the dead instance: got none, want one: the test shows nothing")
	}
}

// Bodies pass in memory that does not grow with them.
func TestNginx_LargeBodiesLeaveMemoryFlat(t *testing.T) {
	t.Parallel()
	const size = 256 << 20
	r := newRig(t, func(c *Config) { c.WorkerProcesses = 1 })
	r.publish(route("echo.example.com", newApp(t, func(w http.ResponseWriter, req *http.Request) {
		n, _ := io.Copy(io.Discard, req.Body)
		_, _ = io.CopyN(w, zeros{}, n)
	})))
	r.do("GET", "echo.example.com")
	before := r.residentMemory()

	request, _ := http.NewRequestWithContext(t.Context(), "POST", r.base+"/", io.LimitReader(zeros{}, size))
	request.Host, request.ContentLength = "echo.example.com", size
	answer, err := (&http.Client{}).Do(request)
	if err != nil {
		t.Fatalf("POST: %v", err)
	}
	got, _ := io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()

	if got != size {
		t.Errorf("answer: got %d bytes, want %d", got, size)
	}
	if grown := r.residentMemory() - before; grown > 8<<20 {
		t.Errorf("the worker grew by %d bytes, want none of the body in it", grown)
	}
	r.leavesNoFile()
}

// residentMemory is what the workers have in memory, in bytes.
func (r *rig) residentMemory() int {
	r.tb.Helper()
	sum := 0
	for _, w := range r.status().Workers {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", w.PID))
		if err != nil {
			r.tb.Fatalf("read a worker's memory: %v", err)
		}
		var total, resident int
		if _, err := fmt.Sscan(string(text), &total, &resident); err != nil {
			r.tb.Fatalf("read a worker's memory: %v", err)
		}
		sum += resident * os.Getpagesize()
	}
	return sum
}

// After a rotation every worker writes to the new log, though the data
// directory is closed to it.
func TestNginx_WorkersLeaveARotatedLog(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.LogBuffered = false })
	r.publish(route("shop.example.com", newApp(t, nil)))
	if err := os.Rename(r.cfg.LogPath, r.cfg.LogPath+".1"); err != nil {
		t.Fatalf("rename: %v", err)
	}

	if err := r.nginx.Reopen(); err != nil {
		t.Fatalf("Reopen: %v", err)
	}

	testkit.Eventually(t, "all workers to let go of the rotated log", func() bool {
		for _, w := range r.status().Workers {
			open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", w.PID))
			for _, fd := range open {
				if to, _ := os.Readlink(fd); to == r.cfg.LogPath+".1" {
					return false
				}
			}
		}
		return true
	})
	r.do("GET", "shop.example.com")
	r.logLines(1)
}

// An nginx that an older aortad started has no directory open for its log: it is
// adopted with the path that it has, and takes the new configuration.
func TestNginx_AdoptsOneWithoutItsLogsDirectory(t *testing.T) {
	t.Parallel()
	r := prepareRig(t)
	old, err := New(r.cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	spec := old.spec()
	spec.OpenDirs = nil
	old.daemon = procs.New(spec, old.log)
	if old.conf, err = r.cfg.withDefaults().render(old.build, r.cfg.LogPath); err != nil {
		t.Fatalf("render: %v", err)
	}
	if err := old.Open(t.Context()); err != nil {
		t.Fatalf("Open: %v", err)
	}
	before := old.Pid()
	r.cfg.LogBuffered = true

	r.open()
	r.publish(route("shop.example.com", newApp(t, nil)))
	code, _ := r.do("GET", "shop.example.com")

	if r.nginx.Pid() != before || code != 200 {
		t.Errorf("got process %d and %d, want %d adopted and 200", r.nginx.Pid(), code, before)
	}
	r.logLines(1)
}
