package browser

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// room is a network namespace for one browser. Chromium ends all its requests
// whenever an address of the machine comes or goes, and containers of other
// tests come and go all the time; in here nothing does. What the browser is to
// reach is forwarded from the same address outside.
type room struct {
	enter []string    // what runs a program inside
	tasks chan func() // run on the thread that is inside

	mu   sync.Mutex // guards the rest
	open map[string]net.Listener
	ends map[net.Conn]bool
	work sync.WaitGroup // forwarders; they end with their connections
}

// newRoom makes one, which is gone with the test. Without the right to make one
// it gives nil, and the browser is outside.
func newRoom(tb testing.TB) *room {
	tb.Helper()
	nsenter, err := exec.LookPath("nsenter")
	if err != nil || os.Getuid() != 0 {
		tb.Log("the browser is not kept apart from changes of the network: that needs root and nsenter")
		return nil
	}
	r := &room{tasks: make(chan func()), open: map[string]net.Listener{}, ends: map[net.Conn]bool{}}
	inside := make(chan error)
	gone := make(chan struct{})
	go func() { // ends when tasks is closed, and its thread with it
		defer close(gone)
		runtime.LockOSThread()
		err := errors.Join(unix.Unshare(unix.CLONE_NEWNET), loopbackUp())
		r.enter = []string{nsenter, fmt.Sprintf("--net=/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid()), "--"}
		inside <- err
		for task := range r.tasks {
			task()
		}
	}()
	if err := <-inside; err != nil {
		tb.Fatalf("make a network for the browser: %v", err)
	}
	tb.Cleanup(func() {
		r.close()
		<-gone
	})
	return r
}

// loopbackUp brings 127.0.0.1 up in the namespace of the calling thread.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// lead makes a program run inside, as a child that ends with us.
func (r *room) lead(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if r != nil {
		cmd.Args = append(r.enter[:len(r.enter):len(r.enter)], append([]string{cmd.Path}, cmd.Args[1:]...)...)
		cmd.Path = r.enter[0]
	}
}

// reach makes the origin of an address reachable inside.
func (r *room) reach(address string) error {
	u, err := url.Parse(address)
	if r == nil || err != nil || u.Port() == "" {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open[u.Host] != nil {
		return nil
	}
	var l net.Listener
	done := make(chan struct{})
	r.tasks <- func() {
		defer close(done)
		l, err = net.Listen("tcp", u.Host)
	}
	<-done
	if err != nil {
		return fmt.Errorf("forward %s: %w", u.Host, err)
	}
	r.open[u.Host] = l
	r.work.Go(func() { r.forward(l) })
	return nil
}

// forward joins each connection with one outside, until l is closed.
func (r *room) forward(l net.Listener) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			// As nobody who listens would: the connection is reset.
			_ = in.(*net.TCPConn).SetLinger(0)
			_ = in.Close()
			continue
		}
		if !r.keep(in, out) {
			return
		}
		r.work.Go(func() { r.carry(in, out) })
		r.work.Go(func() { r.carry(out, in) })
	}
}

// keep notes connections for close, or closes them when it has been.
func (r *room) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		if r.ends == nil {
			_ = c.Close()
			continue
		}
		r.ends[c] = true
	}
	return r.ends != nil
}

// carry copies until one side ends; then both do.
func (r *room) carry(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range []net.Conn{to, from} {
		_ = c.Close()
		delete(r.ends, c)
	}
}

func (r *room) close() {
	r.mu.Lock()
	for _, l := range r.open {
		_ = l.Close()
	}
	for c := range r.ends {
		_ = c.Close()
	}
	r.ends = nil
	r.mu.Unlock()
	r.work.Wait()
	close(r.tasks)
}
