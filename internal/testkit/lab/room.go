package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Room is where processes of one host are: a network namespace, a hostname and a
// control group.
type Room struct {
	Name string // of the host, and of its port of the switch

	pin   string // the file that keeps the network namespace
	group group
}

// Start starts a command in the room, in a session of its own unless it says
// otherwise. Whoever starts it waits for it.
func (r *Room) Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	}
	return r.inside(func() error {
		if err := r.rename(); err != nil {
			return err
		}
		done, err := r.group.take(cmd)
		if err != nil {
			return err
		}
		defer done()
		return cmd.Start()
	})
}

// Run starts a command in the room, and waits until it has ended.
func (r *Room) Run(cmd *exec.Cmd) error {
	if err := r.Start(cmd); err != nil {
		return err
	}
	return cmd.Wait()
}

// Dial connects from within the room to an IP address with a port. It fits
// http.Transport.
func (r *Room) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	host, _, err := net.SplitHostPort(address)
	if err == nil && net.ParseIP(host) == nil {
		err = errors.New("is not an IP address, and there are no names in a lab")
	}
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	err = r.inside(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Listen listens within the room.
func (r *Room) Listen(network, address string) (l net.Listener, err error) {
	err = r.inside(func() (err error) {
		l, err = net.Listen(network, address)
		return err
	})
	return l, err
}

// HTTP is a client that asks from within the room, and waits for an answer for as
// long as it is told, each time on a connection of its own.
func (r *Room) HTTP(timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout, Transport: &http.Transport{DialContext: r.Dial, DisableKeepAlives: true}}
}

// inside runs f on a thread in the room's network.
func (r *Room) inside(f func() error) error {
	return onThread(func() error {
		ns, err := os.Open(r.pin)
		if err != nil {
			return fmt.Errorf("enter %s: %w", r.Name, err)
		}
		defer func() { _ = ns.Close() }()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter the network of %s, which is not up: %w", r.Name, err)
		}
		return f()
	})
}

// rename gives what the calling thread starts the hostname of the room.
func (r *Room) rename() error {
	if err := unix.Unshare(unix.CLONE_NEWUTS); err != nil {
		return fmt.Errorf("give %s its hostname: %w", r.Name, err)
	}
	return unix.Sethostname([]byte(r.Name))
}

// tool runs a short command in the room, with lines for it to read.
func (r *Room) tool(ctx context.Context, lines []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := r.Run(cmd); err != nil {
		return fmt.Errorf("%s %s in %s: %w: %s", name, strings.Join(args, " "), r.Name, err, strings.TrimSpace(said.String()))
	}
	return nil
}
