package scripts_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

// sender asks an app through the router. What nobody reads yet is held back:
// its own buffers are small.
var sender = &http.Client{Timeout: testkit.Hang, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		err = conn.(*net.TCPConn).SetReadBuffer(256 << 10)
	}
	return conn, err
}}}

// do sends a body, nil for none, and gives that of the answer, a 200.
func (s *shipped) do(tb testing.TB, app, method, path string, body io.Reader, length int64) []byte {
	tb.Helper()
	req := s.request(tb, app, method, path)
	if body != nil {
		req.Body, req.ContentLength = io.NopCloser(body), length
	}
	resp, err := sender.Do(req)
	if err != nil {
		tb.Fatalf("%s %s of %s: %v", method, path, app, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		tb.Fatalf("%s %s of %s: got %s and %d bytes, %v: %.300s", method, path, app, resp.Status, len(answer), err, answer)
	}
	return answer
}

// What ships carries bodies of every size both ways: as root, with nginx's
// workers as the user that they run as, below a data directory that only its
// owner may enter.
func TestUp_CarriesBodiesOfEverySize(t *testing.T) {
	s := up(t)
	dir := filepath.Join(s.dir, "echo")
	s.run(t, ".", "go", "build", "-trimpath", "-o", filepath.Join(dir, "app"), "aorta/heart/internal/rig/testapp")
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\nCOPY app /app\nCMD [\"/app\"]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.repository(t, dir)
	s.push(t, dir)

	for _, size := range []int{0, 16 << 10, 1 << 20, 20 << 20} {
		sent := bytes.Repeat([]byte("aorta\n"), size/6+1)[:size]
		want := fmt.Sprintf("%d %x", size, sha256.Sum256(sent))
		for form, length := range map[string]int64{"with its length": int64(size), "in chunks": -1} {
			if got := s.do(t, "echo", "POST", "/sum", bytes.NewReader(sent), length); string(got) != want {
				t.Errorf("%d bytes up, %s: got %q, want %q", size, form, got, want)
			}
		}
		if got := s.do(t, "echo", "GET", fmt.Sprint("/bytes?n=", size), nil, 0); len(got) != size || slices.ContainsFunc(got, func(b byte) bool { return b != 0 }) {
			t.Errorf("%d bytes down: got %d, want as many zeros", size, len(got))
		}
	}
	info, err := os.Stat(filepath.Join(s.dir, "state/data"))
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory: got %v, %v; want it to be its owner's alone", info, err)
	}
	if log, err := os.ReadFile(filepath.Join(s.dir, "state/data/router/nginx.log")); err != nil || strings.Contains(string(log), "[crit]") {
		t.Errorf("nginx's log: got %v and\n%s\nwant nothing critical", err, log)
	}
}
