package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// bodiesHost is whose instance takes and gives large bodies.
const bodiesHost = "bodies.example.com"

const piece = 256 << 10 // bytes that are written and read at once

// A GET of bodiesPath and a size is answered by as many bytes; what is PUT there
// is read. Of the static proxy, it is the place that leads to them.
const bodiesPath = "/bodies/"

// startBodies starts the instance of large bodies, in this process.
func (l *lab) startBodies(context.Context, options) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for large bodies: %w", err)
	}
	l.bodies = &http.Server{Handler: http.HandlerFunc(serveBody)}
	l.bodiesPort = listener.Addr().(*net.TCPAddr).Port
	go func() { _ = l.bodies.Serve(listener) }() // ends with close
	return nil
}

func serveBody(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		n, err := drop(r.Body)
		if err == nil {
			_, _ = fmt.Fprint(w, n)
		}
		return
	}
	size, err := strconv.ParseInt(strings.TrimPrefix(r.URL.Path, bodiesPath), 10, 64)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	_, _ = copyBody(w, zeros(size)) // the client counts what it gets
}

// zeros reads as so many zero bytes.
func zeros(size int64) io.Reader { return io.LimitReader(zero{}, size) }

type zero struct{}

func (zero) Read(p []byte) (int, error) { return len(p), nil }

func drop(from io.Reader) (int64, error) { return copyBody(io.Discard, from) }

// copyBody hides what would choose smaller pieces.
func copyBody(to io.Writer, from io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, piece))
}

// carried is what one body through a proxy took.
type carried struct {
	pace    float64 // bytes a second
	cpu     float64 // seconds of the proxy's workers per GB
	memory  int64   // bytes that a worker took more than before, at most
	written int64   // bytes that the workers wrote to files, the access log's among them
}

// carry sends one body down or up.
func (l *lab) carry(ctx context.Context, url, method string, size int64) (carried, error) {
	l.forgetPeaks(url)
	before, begin := l.workers(url), time.Now()
	n, err := exchange(ctx, url+bodiesPath[1:]+strconv.FormatInt(size, 10), method, size)
	if err == nil && n != size {
		err = fmt.Errorf("%d of %d bytes arrived", n, size)
	}
	if err != nil {
		return carried{}, fmt.Errorf("%s %s: %w", method, url, err)
	}
	took, after := time.Since(begin).Seconds(), l.workers(url)
	return carried{
		pace: float64(size) / took, cpu: (after.time - before.time).Seconds() / (float64(size) / 1e9),
		memory: after.peak - before.peak, written: after.written - before.written,
	}, nil
}

// exchange says how many bytes arrived at the other end. Each has a connection of
// its own.
func exchange(ctx context.Context, url, method string, size int64) (n int64, err error) {
	var body io.Reader
	if method == http.MethodPut {
		body = zeros(size)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, err
	}
	req.Host, req.ContentLength = bodiesHost, size
	if body == nil {
		req.ContentLength = 0
	}
	transport := &http.Transport{DisableCompression: true, WriteBufferSize: piece, ReadBufferSize: piece}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if method != http.MethodPut || res.StatusCode != http.StatusOK {
		return drop(res.Body)
	}
	_, err = fmt.Fscan(res.Body, &n)
	return n, err
}

// usage is what a proxy's workers have used.
type usage struct {
	time          time.Duration
	peak, written int64 // bytes
}

// forgetPeaks has the kernel begin with the memory that each worker has now.
func (l *lab) forgetPeaks(url string) {
	for _, dir := range l.workerDirs(url) {
		_ = os.WriteFile(filepath.Join(dir, "clear_refs"), []byte("5"), 0)
	}
}

// workers adds up those of the proxy behind the address.
func (l *lab) workers(url string) usage {
	u := usage{time: l.proxyTime(url)}
	for _, dir := range l.workerDirs(url) {
		u.peak = max(u.peak, number(filepath.Join(dir, "status"), "VmHWM:")<<10)
		u.written += number(filepath.Join(dir, "io"), "write_bytes:")
	}
	return u
}

// number reads one from a file of lines that begin with names; 0 without it.
func number(path, name string) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), "\n"+name)
	words := strings.Fields(after)
	if len(words) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(words[0], 10, 64)
	return n
}
