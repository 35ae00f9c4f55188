package openresty

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aorta/internal/testkit"
)

// appOn is an instance on a machine of its own, which is an address of the test's
// network.
func appOn(tb testing.TB, machine string, handler http.HandlerFunc) *app {
	tb.Helper()
	a := newApp(tb, handler)
	listener, err := net.Listen("tcp", machine+":0")
	testkit.Must(tb, err)
	there := &httptest.Server{Listener: listener, Config: a.srv.Config}
	there.Start()
	tb.Cleanup(func() {
		there.CloseClientConnections()
		there.Close()
	})
	a.Addr = listener.Addr().String()
	return a
}

// lose makes a machine be without power, as far as others can tell: nothing comes
// from it any more.
func lose(tb testing.TB, machine string) (find func()) {
	tb.Helper()
	rules := func(what string) {
		for _, side := range []string{"-s", "-d"} {
			out, err := exec.Command("iptables", "-w", what, "INPUT", side, machine, "-j", "DROP").CombinedOutput()
			if err != nil {
				tb.Fatalf("iptables: %v: %s", err, out)
			}
		}
	}
	rules("-I")
	return func() { rules("-D") }
}

// tried counts the attempts in vain at some instances, among so many requests.
func (r *rig) tried(requests int, at ...*app) (n int) {
	r.tb.Helper()
	for _, line := range r.logLines(requests) {
		for _, id := range line.Tried {
			if slices.ContainsFunc(at, func(a *app) bool { return a.ID == id }) {
				n++
			}
		}
	}
	return n
}

// awaitLost waits until a machine is known to be lost, by what requests come to.
func (r *rig) awaitLost(machine, host string) (requests int) {
	r.tb.Helper()
	testkit.Eventually(r.tb, machine+" to be lost", func() bool {
		r.do("GET", host)
		requests++
		return slices.Equal(r.status().Lost, []string{machine})
	})
	return requests
}

// Once one instance was found to be on a machine that is lost, no request waits for
// another one there, whatever its app and its worker; an app that has no other
// instance is asked all the same. When the machine is back, so are they all.
func TestNginx_LostMachineIsLeftOutAndComesBack(t *testing.T) {
	t.Parallel()
	if !testkit.InOwnNetwork(t) {
		return
	}
	r := newRig(t)
	near, far := appOn(t, "127.0.0.2", nil), appOn(t, "127.0.0.3", nil)
	others := []*app{appOn(t, "127.0.0.2", nil), appOn(t, "127.0.0.3", nil), appOn(t, "127.0.0.3", nil), appOn(t, "127.0.0.3", nil)}
	alone := appOn(t, "127.0.0.3", nil)
	r.publish(route("shop.example.com", near, far), route("blog.example.com", others...), route("alone.example.com", alone))

	find := lose(t, "127.0.0.3")
	sent := r.awaitLost("127.0.0.3", "shop.example.com")
	for i := range 100 {
		method := []string{"GET", "POST"}[i%2]
		if code, body := r.do(method, "blog.example.com"); code != 200 || body != others[0].ID {
			t.Fatalf("%s: got %d %s, want 200 from the instance that is left", method, code, body)
		}
	}
	code, said := r.do("GET", "alone.example.com")
	sent += 101

	if n := r.tried(sent, far); n == 0 || n > 4 {
		t.Errorf("got %d attempts at the first app's instance, want one for each worker and few more", n)
	}
	if n := r.tried(sent, others...); n != 0 {
		t.Errorf("got %d attempts at the second app's instances on a machine that is lost, want none", n)
	}
	if code != 502 || !strings.Contains(said, "no instance accepts connections") {
		t.Errorf("an app that is there alone: got %d %s, want 502 with that cause", code, said)
	}
	find()
	testkit.Eventually(t, "all instances to be asked again", func() bool {
		r.do("GET", "blog.example.com")
		return r.status().Lost == nil && others[1].hits.Load() > 0 && others[2].hits.Load() > 0 && others[3].hits.Load() > 0
	})
	if code, _ := r.do("GET", "alone.example.com"); code != 200 {
		t.Errorf("an app that is there alone, once it is back: got %d, want 200", code)
	}
}

// A machine that is there is not lost for one of its apps, which takes no
// connections: the others there go on, and it is left out alone.
func TestNginx_AppThatAcceptsNothingIsNoLostMachine(t *testing.T) {
	t.Parallel()
	if !testkit.InOwnNetwork(t) {
		return
	}
	r := newRig(t)
	hole, alive := blackHole(t), newApp(t, nil)
	r.publish(route("shop.example.com", hole, alive))

	for range 40 {
		if code, body := r.do("GET", "shop.example.com"); code != 200 || body != alive.ID {
			t.Fatalf("got %d %s, want 200 from the instance that accepts connections", code, body)
		}
	}

	if n := r.tried(40, hole); n == 0 || n > 4 {
		t.Errorf("got %d attempts at the one that accepts nothing, want one for each worker and few more", n)
	}
	if lost := r.said("does not answer, its instances"); len(lost) != 0 {
		t.Errorf("nginx's log has a lost machine: %v", lost)
	}
}

// hanging is a request that waits for its answer.
type hanging struct {
	code int
	text string
	err  error
}

func (r *rig) hang(method, host string) <-chan hanging {
	done := make(chan hanging, 1)
	go func() {
		var h hanging
		h.code, h.text, h.err = r.try(method, host)
		done <- h
	}()
	return done
}

// hangOn sends requests until one is taken that gets no answer.
func (r *rig) hangOn(taken <-chan struct{}, method string) <-chan hanging {
	r.tb.Helper()
	for {
		answer := r.hang(method, "shop.example.com")
		select {
		case <-taken:
			return answer
		case <-answer:
		}
	}
}

// switchOn makes a websocket to the instance that takes it.
func (r *rig) switchOn(taken <-chan struct{}) net.Conn {
	r.tb.Helper()
	for {
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
		testkit.Must(r.tb, err)
		r.tb.Cleanup(func() { _ = conn.Close() })
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: shop.example.com\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
		testkit.Must(r.tb, err)
		testkit.Must(r.tb, conn.SetDeadline(time.Now().Add(testkit.Hang)))
		line, err := bufio.NewReader(conn).ReadString('\n')
		testkit.Must(r.tb, err)
		if strings.Contains(line, " 101 ") {
			<-taken
			return conn
		}
	}
}

// What is in flight on a machine that is lost has its end long before its app's
// limit: what may be sent again is, whatever it had waited, and a websocket's client
// hears of it.
func TestNginx_RequestsOnALostMachineEnd(t *testing.T) {
	t.Parallel()
	if !testkit.InOwnNetwork(t) {
		return
	}
	r := newRig(t)
	taken := make(chan struct{}, 3)
	hold := make(chan struct{})
	far := appOn(t, "127.0.0.3", func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Upgrade") != "" {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
		}
		taken <- struct{}{}
		<-hold
	})
	t.Cleanup(func() { close(hold) })
	near := appOn(t, "127.0.0.2", nil)
	r.publish(route("shop.example.com", near, far))
	get, post := r.hangOn(taken, "GET"), r.hangOn(taken, "POST")
	switched := r.switchOn(taken)

	lose(t, "127.0.0.3")
	r.awaitLost("127.0.0.3", "shop.example.com")

	if h := testkit.Receive(t, "the GET", get); h.err != nil || h.code != 200 || h.text != near.ID {
		t.Errorf("GET: got %+v, want 200 from the other instance", h)
	}
	if h := testkit.Receive(t, "the POST", post); h.err != nil || h.code != 502 || !strings.Contains(h.text, "the node that it runs on does not answer") {
		t.Errorf("POST: got %+v, want 502 with that cause", h)
	}
	if _, err := io.Copy(io.Discard, switched); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("websocket: got %v, want its end", err)
	}
}

// The same without any other request: the kernel asks.
func TestNginx_OneRequestOnALostMachineEnds(t *testing.T) {
	t.Parallel()
	if !testkit.InOwnNetwork(t) {
		return
	}
	r := newRig(t)
	taken, hold := make(chan struct{}), make(chan struct{})
	far := appOn(t, "127.0.0.3", func(http.ResponseWriter, *http.Request) {
		close(taken)
		<-hold
	})
	t.Cleanup(func() { close(hold) })
	r.publish(route("shop.example.com", far))
	answer := r.hang("POST", "shop.example.com")
	testkit.Receive(t, "the app to be asked", taken)

	lose(t, "127.0.0.3")

	if h := testkit.Receive(t, "the POST", answer); h.err != nil || h.code != 502 {
		t.Errorf("got %+v, want 502", h)
	}
}

// A client that gives up says nothing of an instance.
func TestNginx_ClientsThatGiveUpEjectNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.WorkerProcesses = 1 })
	asked := make(chan struct{})
	slow := func(_ http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/slow" {
			asked <- struct{}{}
			<-req.Context().Done()
		}
	}
	one, other := newApp(t, slow), newApp(t, slow)
	r.publish(route("shop.example.com", one, other))

	for range 20 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
		testkit.Must(t, err)
		_, err = io.WriteString(conn, "GET /slow HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
		testkit.Must(t, err)
		testkit.Receive(t, "an app to be asked", asked)
		testkit.Must(t, conn.Close())
	}
	r.logLines(20)
	before := []int64{one.hits.Load(), other.hits.Load()}
	for range 20 {
		r.do("GET", "shop.example.com")
	}

	if a, b := one.hits.Load()-before[0], other.hits.Load()-before[1]; a != 10 || b != 10 {
		t.Errorf("got %d and %d requests for the two, want 10 for each", a, b)
	}
	if said := r.said("left out"); len(said) != 0 {
		t.Errorf("nginx's log has %v", said)
	}
}

// A machine may also be lost aloud: the last router before it says that there is no
// way, and no request waits.
func TestNginx_MachineWithoutAWayIsLost(t *testing.T) {
	t.Parallel()
	if !testkit.InOwnNetwork(t) {
		return
	}
	r := newRig(t)
	near, far := appOn(t, "127.0.0.2", nil), appOn(t, "127.0.0.3", nil)
	r.publish(route("shop.example.com", near, far))

	out, err := exec.Command("iptables", "-w", "-I", "INPUT", "-d", "127.0.0.3", "-p", "tcp", "-j", "REJECT", "--reject-with", "icmp-host-unreachable").CombinedOutput()
	if err != nil {
		t.Fatalf("iptables: %v: %s", err, out)
	}

	r.awaitLost("127.0.0.3", "shop.example.com")
}

// Machines are known by the addresses of IPv6 too.
func TestNginx_LostMachineOfIPv6(t *testing.T) {
	t.Parallel()
	if !testkit.InOwnNetwork(t) {
		return
	}
	for _, n := range []int{2, 3} {
		if out, err := exec.Command("ip", "address", "add", fmt.Sprintf("fd77::%d/128", n), "dev", "lo").CombinedOutput(); err != nil {
			t.Fatalf("add an address: %v: %s", err, out)
		}
	}
	r := newRig(t, func(c *Config) { c.AllowedNetworks = append(c.AllowedNetworks, netip.MustParsePrefix("fd77::/64")) })
	near, far := appOn(t, "[fd77::2]", nil), appOn(t, "[fd77::3]", nil)
	r.publish(route("shop.example.com", near, far))

	out, err := exec.Command("ip6tables", "-w", "-I", "INPUT", "-d", "fd77::3", "-j", "DROP").CombinedOutput()
	if err != nil {
		t.Fatalf("ip6tables: %v: %s", err, out)
	}

	r.awaitLost("[fd77::3]", "shop.example.com")
}
