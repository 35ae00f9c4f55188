package firewall

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"aorta/internal/testkit"
)

// as says what a process of this test program is in another network namespace.
const as = "AORTA_FIREWALL_TEST"

func TestMain(m *testing.M) {
	switch os.Getenv(as) {
	case "":
		os.Exit(m.Run())
	case "machine":
		select {} // its namespace lives as long
	case "server":
		serve(os.Args[1:])
	case "client":
		var all sync.WaitGroup
		for _, to := range os.Args[1:] {
			all.Go(func() { fmt.Println(to, dial(to)) })
		}
		all.Wait()
	case "keeper":
		k := NewKeeper(func(context.Context) (Policy, error) { return Policy{Bridges: []Bridge{{Name: "ao-aaaaaaaa"}}}, nil }, slog.Default())
		k.Keep(context.Background())
		fmt.Println(k.Fault())
	}
}

// serve answers at the ports of all addresses that the machine has, TCP and UDP, and
// says when it does.
func serve(ports []string) {
	all, err := net.InterfaceAddrs()
	for _, a := range all {
		prefix, perr := netip.ParsePrefix(a.String())
		if perr != nil || prefix.Addr().IsLinkLocalUnicast() && prefix.Addr().Is6() {
			continue
		}
		for _, port := range ports {
			at := net.JoinHostPort(prefix.Addr().String(), port)
			l, lerr := net.Listen("tcp", at)
			u, uerr := net.ListenPacket("udp", at)
			if err = errors.Join(err, lerr, uerr); err == nil {
				go accept(l)
				go echo(u)
			}
		}
	}
	if err != nil {
		panic(err)
	}
	fmt.Println("ready")
	select {}
}

func accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			panic(err)
		}
		_ = c.Close()
	}
}

func echo(u net.PacketConn) {
	buf := make([]byte, 16)
	for {
		n, from, err := u.ReadFrom(buf)
		if err == nil {
			_, _ = u.WriteTo(buf[:n], from)
		}
	}
}

// dial says how protocol/address answers; silent when the kernel has given up.
func dial(to string) string {
	protocol, address, _ := strings.Cut(to, "/")
	c, err := net.Dial(protocol, address)
	if err == nil && protocol == "udp" {
		if _, err = c.Write([]byte("ask")); err == nil {
			_, err = c.Read(make([]byte, 16))
		}
	}
	switch {
	case err == nil:
		_ = c.Close()
		return "open"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case os.IsTimeout(err):
		return "silent"
	}
	return err.Error()
}

// machine is a network namespace, of a machine or of a container.
type machine struct {
	tb   testing.TB
	name string
	pid  int
}

func newMachine(tb testing.TB, name string) machine {
	tb.Helper()
	cmd := exec.Command("unshare", "--net", "/proc/self/exe")
	cmd.Args[2] = mustExecutable(tb)
	cmd.Env = append(os.Environ(), as+"=machine")
	testkit.StartChild(tb, cmd)
	m := machine{tb, name, cmd.Process.Pid}
	own, err := os.Readlink("/proc/self/ns/net")
	testkit.Must(tb, err)
	testkit.Eventually(tb, "a network namespace", func() bool {
		is, err := os.Readlink(m.namespace())
		return err == nil && is != own
	})
	m.ip("link set lo up")
	return m
}

func mustExecutable(tb testing.TB) string {
	tb.Helper()
	self, err := os.Executable()
	testkit.Must(tb, err)
	return self
}

func (m machine) namespace() string { return fmt.Sprintf("/proc/%d/ns/net", m.pid) }

func (m machine) command(name string, args ...string) *exec.Cmd {
	return exec.CommandContext(testkit.Bounded(m.tb), "nsenter", append([]string{"--net=" + m.namespace(), name}, args...)...)
}

// ip runs lines of ip's commands.
func (m machine) ip(lines ...string) {
	m.tb.Helper()
	cmd := m.command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n"))
	if out, err := cmd.CombinedOutput(); err != nil {
		m.tb.Fatalf("%s: ip: %v\n%s\n%s", m.name, err, strings.Join(lines, "\n"), out)
	}
}

// link connects the machine to another one, where the link's end is called end and has
// the addresses; here it is called port.
func (m machine) link(port string, other machine, end string, addresses ...string) {
	m.tb.Helper()
	m.ip(fmt.Sprintf("link add %s type veth peer name %s netns %d", port, end, other.pid), "link set "+port+" up")
	other.ip("link set " + end + " up")
	for _, a := range addresses {
		other.ip("address add " + a + " dev " + end + nodad(a))
	}
}

// nodad uses an IPv6 address at once.
func nodad(address string) string {
	if strings.Contains(address, ":") {
		return " nodad"
	}
	return ""
}

// serves answers there at ports.
func (m machine) serves(ports ...string) {
	m.tb.Helper()
	cmd := m.command(mustExecutable(m.tb), ports...)
	cmd.Env, cmd.Stderr = append(os.Environ(), as+"=server"), os.Stderr
	out, err := cmd.StdoutPipe()
	testkit.Must(m.tb, err)
	testkit.StartChild(m.tb, cmd)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		m.tb.Fatalf("%s: serve: %q, %v", m.name, line, err)
	}
}

// dials gives how each address answers from there.
func (m machine) dials(to ...string) map[string]string {
	m.tb.Helper()
	cmd := m.command(mustExecutable(m.tb), to...)
	cmd.Env = append(os.Environ(), as+"=client")
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.tb.Fatalf("%s: dial: %v\n%s", m.name, err, out)
	}
	got := map[string]string{}
	for line := range strings.Lines(string(out)) {
		to, outcome, _ := strings.Cut(strings.TrimSpace(line), " ")
		got[to] = outcome
	}
	return got
}

// enter has the rest of the test in the machine's namespace, so that tools that it
// starts change the rules there.
func (m machine) enter() {
	m.tb.Helper()
	ns, err := os.Open(m.namespace())
	testkit.Must(m.tb, err)
	defer func() { _ = ns.Close() }()
	runtime.LockOSThread() // for ever: the thread ends with the test
	testkit.Must(m.tb, unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET))
}

// tool runs a command there and gives what it printed.
func (m machine) tool(name string, args ...string) string {
	m.tb.Helper()
	out, err := m.command(name, args...).CombinedOutput()
	if err != nil {
		m.tb.Fatalf("%s: %s %v: %v\n%s", m.name, name, args, err, out)
	}
	return string(out)
}
