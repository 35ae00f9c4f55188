package client

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// overHTTP2 is a node's client of a server by HTTP/2.
func overHTTP2(tb testing.TB, handler http.HandlerFunc) *Node {
	tb.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.EnableHTTP2 = true
	s.StartTLS()
	tb.Cleanup(s.Close)
	trust := s.Client().Transport.(*http.Transport).TLSClientConfig
	n, err := NewNode([]string{s.URL}, "n1", &tls.Config{RootCAs: trust.RootCAs})
	testkit.Must(tb, err)
	tb.Cleanup(n.Close)
	return n
}

// What is under way on a connection keeps it from being idle, and not the next calls on it:
// it shows the certificate of before.
func TestNode_CallsOnNewConnectionsWhileOneIsAtWork(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var from []string
	release := make(chan struct{})
	n := overHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet { // the source of a build, which takes its time
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-release
			_, _ = w.Write([]byte("all of it"))
			return
		}
		mu.Lock()
		defer mu.Unlock()
		from = append(from, r.RemoteAddr)
		sendJSON(w, 200, map[string]any{})
	})
	ctx := testkit.Bounded(t)
	source, err := n.BuildSource(ctx, "b1")
	testkit.Must(t, err)
	_, before := n.Hello(ctx, cluster.Hello{})

	n.DropConnections()
	_, after := n.Hello(ctx, cluster.Hello{})
	close(release)
	rest := make([]byte, 9)
	_, read := source.Read(rest)
	_ = source.Close()

	if before != nil || after != nil || len(from) != 2 || from[0] == from[1] {
		t.Errorf("called from %v (%v, %v), want by two connections", from, before, after)
	}
	if string(rest) != "all of it" {
		t.Errorf("the source ended with %q (%v), want it whole", rest, read)
	}
}

// Calls that are refused at the same time, since their connection shows a certificate that
// has expired, go on by the next one: it is asked for once.
func TestNode_RenewsOnceForCallsThatAreRefusedTogether(t *testing.T) {
	t.Parallel()
	const calls = 5
	var together sync.WaitGroup
	together.Add(calls)
	var mu sync.Mutex
	old := ""
	n := overHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		first, expired := old == "", old == r.RemoteAddr
		if first {
			old = r.RemoteAddr
		}
		mu.Unlock()
		if !expired {
			sendJSON(w, 200, map[string]any{})
			return
		}
		together.Done()
		together.Wait()
		sendJSON(w, http.StatusUnauthorized, map[string]any{"code": "unauthorized", "message": "expired"})
	})
	renewals := 0
	n.RenewBy(func(context.Context) error {
		renewals++
		n.DropConnections()
		return nil
	})
	ctx := testkit.Bounded(t)
	_, err := n.Hello(ctx, cluster.Hello{}) // by the connection that all of them share
	testkit.Must(t, err)

	errs := make(chan error, calls)
	for range calls {
		go func() {
			_, err := n.Hello(ctx, cluster.Hello{})
			errs <- err
		}()
	}

	for range calls {
		if err := testkit.Receive(t, "a call to end", errs); err != nil {
			t.Errorf("got %v, want an answer", err)
		}
	}
	if renewals != 1 {
		t.Errorf("got %d renewals, want one", renewals)
	}
}
