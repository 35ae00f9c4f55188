package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
)

// Server is one HTTP listener.
type Server struct {
	http     *http.Server
	listener net.Listener
	cert     string
	key      string
}

// Options describe a server.
type Options struct {
	Address string
	Handler http.Handler
	Cert    string // PEM files; empty: plain HTTP, or TLS
	Key     string
	TLS     *tls.Config // nil: as Cert says
	Log     *slog.Logger
}

// Listen takes the address; Run serves it. Pushes and event streams last, so
// only reading the head of a request and idling are bounded here, and bodies
// where they are read.
func Listen(o Options) (*Server, error) {
	l, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w (is another program using it? choose another address)", o.Address, err)
	}
	if o.TLS != nil {
		l = tls.NewListener(l, o.TLS)
	}
	return &Server{listener: l, cert: o.Cert, key: o.Key, http: &http.Server{
		Handler: recovering(o.Handler, o.Log), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
		ConnContext: boundUnsent, ConnState: newCrowd(connectionLimit()).changed,
	}}, nil
}

// maxUnsent is how much of an answer the kernel takes ahead of what it can send. Left
// to itself it takes megabytes for each reader that is slow, which are made for nothing
// once that is cut off.
const maxUnsent = 128 << 10

// boundUnsent is set for each connection: a listener may be one of Multipath TCP,
// which hands nothing down. What can't be bounded is served all the same.
func boundUnsent(ctx context.Context, c net.Conn) context.Context {
	if over, ok := c.(*tls.Conn); ok {
		c = over.NetConn()
	}
	if plain, ok := c.(*net.TCPConn); ok {
		if raw, err := plain.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) {
				_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, maxUnsent)
			})
		}
	}
	return ctx
}

// Addr is the address that was taken.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends; what is under way then has two seconds.
func (s *Server) Run(ctx context.Context) error {
	done := make(chan error, 1)
	// Requests end with the server, not with the process: streams hear of it.
	s.http.BaseContext = func(net.Listener) context.Context { return ctx }
	go func() { // ends with Shutdown or Close below
		if s.cert != "" {
			done <- s.http.ServeTLS(s.listener, s.cert, s.key)
			return
		}
		done <- s.http.Serve(s.listener)
	}()
	select {
	case err := <-done:
		return fmt.Errorf("serve %s: %w", s.Addr(), err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := s.http.Shutdown(bounded); err != nil {
		_ = s.http.Close()
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// recovering turns a panic in a handler into a 500 and a log entry.
func recovering(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			log.Error("a request handler panicked", "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
			http.Error(w, "something failed in the daemon; its log says what", http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}
