package web

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aorta/internal/testkit"

	"github.com/go-chi/chi/v5"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines is a log that handlers write to.
type lines struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// serve runs a server until the test ends it, or ends.
func serve(t *testing.T, o Options) (s *Server, stop func() error, log *lines) {
	t.Helper()
	log = &lines{}
	o.Address, o.Log = "127.0.0.1:0", slog.New(slog.NewTextHandler(log, nil))
	s, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }() // ended by stop
	stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { _ = stop() })
	return s, stop, log
}

// get asks without keeping the connection.
func get(url string) (int, string, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: testkit.Hang}
	resp, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

func TestServer_APanicIsOneRequests(t *testing.T) {
	s, _, log := serve(t, Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/panic":
			panic("a bug")
		case "/abort":
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "fine")
	})})

	status, body, err := get("http://" + s.Addr() + "/panic")
	_, _, aborted := get("http://" + s.Addr() + "/abort")
	after, _, _ := get("http://" + s.Addr() + "/")

	if err != nil || status != http.StatusInternalServerError || strings.Contains(body, "a bug") {
		t.Errorf("got %d %q, %v; want a 500 that gives nothing away", status, body, err)
	}
	if !errors.Is(aborted, io.EOF) || after != http.StatusOK {
		t.Errorf("got %v, then %d; want the aborted one cut off and the server alive", aborted, after)
	}
	if got := log.String(); strings.Count(got, "level=ERROR") != 1 || !strings.Contains(got, "a bug") || !strings.Contains(got, "path=/panic") {
		t.Errorf("got log %q, want the panic in it once", got)
	}
}

func TestServer_EndLetsShortOnesFinishAndTellsStreams(t *testing.T) {
	begun := make(chan string, 2)
	goOn := make(chan struct{})
	s, stop, _ := serve(t, Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- r.URL.Path
		if r.URL.Path == "/stream" {
			<-r.Context().Done()
		} else {
			<-goOn
		}
		_, _ = io.WriteString(w, "done")
	})})
	answers := make(chan string, 2)
	for _, path := range []string{"/stream", "/short"} {
		go func() {
			_, body, err := get("http://" + s.Addr() + path)
			answers <- fmt.Sprint(path, body, err)
		}()
	}
	<-begun
	<-begun
	ended := make(chan error, 1)
	go func() { ended <- stop() }()

	first := <-answers
	close(goOn)
	second := <-answers

	if err := <-ended; err != nil || first != "/streamdone<nil>" || second != "/shortdone<nil>" {
		t.Errorf("got %q, %q, %v; want both answered and a clean end", first, second, err)
	}
	if _, _, err := get("http://" + s.Addr()); err == nil {
		t.Error("got an answer after the end, want none")
	}
}

func TestServer_EndCutsOffWhatNeverEnds(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(goOn) })
	s, stop, _ := serve(t, Options{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(begun)
		<-goOn
	})})
	answer := make(chan error, 1)
	go func() {
		_, _, err := get("http://" + s.Addr())
		answer <- err
	}()
	<-begun

	err := stop()

	if err != nil || <-answer == nil {
		t.Errorf("got %v and an answer, want a clean end that cuts it off", err)
	}
}

func TestServer_HugeHeadsAreRefused(t *testing.T) {
	s, _, _ := serve(t, Options{Handler: http.NotFoundHandler()})
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: a.b\r\nX: %s\r\n\r\n", strings.Repeat("x", 80<<10))

	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()

	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %s, want 431", resp.Status)
	}
}

func TestListen_NamesATakenAddress(t *testing.T) {
	s, _, _ := serve(t, Options{Handler: http.NotFoundHandler()})

	_, err := Listen(Options{Address: s.Addr(), Log: slog.Default()})

	if err == nil || !strings.Contains(err.Error(), s.Addr()) || !strings.Contains(err.Error(), "another program") {
		t.Errorf("got %v, want the address and what to do", err)
	}
}

func TestServer_ServesTLS(t *testing.T) {
	cert, key := certificate(t)
	s, _, _ := serve(t, Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "safe") }), Cert: cert, Key: key})

	_, body, err := get("https://" + s.Addr())
	status, _, _ := get("http://" + s.Addr())

	if err != nil || body != "safe" || status != http.StatusBadRequest {
		t.Errorf("got %q, %v, and %d without TLS; want it served, and 400", body, err, status)
	}
}

func TestServer_ABadCertificateEndsIt(t *testing.T) {
	s, err := Listen(Options{Address: "127.0.0.1:0", Handler: http.NotFoundHandler(), Cert: "/nonexistent.pem", Key: "/nonexistent.pem", Log: slog.Default()})
	if err != nil {
		t.Fatal(err)
	}

	err = s.Run(t.Context())

	if err == nil || !strings.Contains(err.Error(), "/nonexistent.pem") {
		t.Errorf("got %v, want the file named", err)
	}
}

func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestReadiness_NamesWhatIsWaitedFor(t *testing.T) {
	ready := NewReadiness([]string{"router", "heart"})
	mux := chi.NewRouter()
	MountHealth(mux, ready)
	s, _, _ := serve(t, Options{Handler: mux})
	var fault error
	var mu sync.Mutex // guards fault
	ready.Check("router", func() error {
		mu.Lock()
		defer mu.Unlock()
		return fault
	})

	for _, step := range []struct {
		do     func()
		status int
		router string
		heart  string
	}{
		{func() {}, 503, "starting", "starting"},
		{func() { ready.Waiting("router", "its replica"); ready.Ready("heart") }, 503, "waiting for its replica", "ready"},
		{func() { ready.Ready("router") }, 200, "ready", "ready"},
		{func() { mu.Lock(); fault = errors.New("away"); mu.Unlock() }, 503, "away", "ready"},
		{func() { mu.Lock(); fault = nil; mu.Unlock() }, 200, "ready", "ready"},
	} {
		step.do()
		status, body, err := get("http://" + s.Addr() + "/readyz")
		if err != nil {
			t.Fatal(err)
		}

		var got struct {
			Ready bool
			Roles map[string]string
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		if status != step.status || got.Ready != (status == 200) || got.Roles["router"] != step.router || got.Roles["heart"] != step.heart {
			t.Errorf("got %d %s, want %d, router %s, heart %s", status, body, step.status, step.router, step.heart)
		}
	}
	ready.Waiting("heart", "its parts")
	ask := httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil)
	ask.Header.Set("Accept", "text/plain")
	text := httptest.NewRecorder()
	mux.ServeHTTP(text, ask)
	if want := "heart: waiting for its parts\nrouter: ready\n"; text.Code != 503 || text.Body.String() != want {
		t.Errorf("as text: got %d %q, want 503 %q", text.Code, text.Body, want)
	}
	for path, want := range map[string]string{"/healthz": "ok", "/metrics": "go_goroutines"} {
		if status, body, _ := get("http://" + s.Addr() + path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: got %d, want 200 with %s", path, status, want)
		}
	}
}

// What a reader does not take is not made for it: the kernel takes a little of it, and
// not the megabytes that it would.
func TestServer_HoldsLittleForAReaderThatTakesNothing(t *testing.T) {
	cert, key := certificate(t)
	for scheme, o := range map[string]Options{"http": {}, "https": {Cert: cert, Key: key}} {
		bound := make(chan int, 1)
		o.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				bound <- unsentBound(conn)
				_ = conn.Close()
			}
		})
		s, _, _ := serve(t, o)
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}} //nolint:gosec // whose server it is is tested elsewhere

		_, _ = client.Get(scheme + "://" + s.Addr())

		if got := testkit.Receive(t, "the connection", bound); got != maxUnsent {
			t.Errorf("%s: got a bound of %d bytes, want %d", scheme, got, maxUnsent)
		}
	}
}

func unsentBound(conn net.Conn) (bytes int) {
	if over, ok := conn.(*tls.Conn); ok {
		conn = over.NetConn()
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { bytes, _ = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT) })
	}
	return bytes
}
