package lab

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	tapBuffer = 64 << 20  // of the kernel, for what is not read yet
	tapFrame  = 128 << 10 // more than the largest frame
	tapPause  = 10        // ms between two looks at an empty buffer
)

// Tap hears all that hosts send one another from when it is made. What clients send and
// are sent is theirs.
type Tap struct {
	fd    int
	ended chan struct{} // closed by Close: hear ends once it has read all
	done  sync.WaitGroup
	flows flows
	err   error // of hear
}

// Tap begins to hear what crosses the lab's switch.
func (l *Lab) Tap() (*Tap, error) {
	t := &Tap{ended: make(chan struct{}), flows: flows{}}
	err := l.Switch.inside(func() (err error) {
		t.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(networkOrder(unix.ETH_P_ALL)))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("hear what crosses the switch: %w", err)
	}
	err = errors.Join(
		unix.SetsockoptInt(t.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, tapBuffer),
		// A frame is heard at the port where it comes in, and not once more where it leaves.
		unix.SetsockoptInt(t.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
	)
	if err != nil {
		_ = unix.Close(t.fd)
		return nil, fmt.Errorf("hear what crosses the switch: %w", err)
	}
	t.done.Go(t.hear)
	return t, nil
}

// networkOrder is a number as the kernel has those of protocols.
func networkOrder(n uint16) uint16 { return n<<8 | n>>8 }

// hear reads frames until Close, and then those that are still there.
func (t *Tap) hear() {
	frame := make([]byte, tapFrame)
	for {
		n, _, err := unix.Recvfrom(t.fd, frame, unix.MSG_DONTWAIT|unix.MSG_TRUNC)
		switch {
		case err == nil && n <= len(frame):
			t.flows.add(frame[:n])
		case err == nil:
			t.err = fmt.Errorf("a frame of %d bytes is longer than what is read of one", n)
			return
		case errors.Is(err, unix.EAGAIN):
			select {
			case <-t.ended:
				return
			default:
			}
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(t.fd), Events: unix.POLLIN}}, tapPause)
		case !errors.Is(err, unix.EINTR):
			t.err = err
			return
		}
	}
}

// Close ends it, and gives what each sent to each in the order in which it came by. It
// fails unless that is all.
func (t *Tap) Close() (map[Flow][]byte, error) {
	close(t.ended)
	t.done.Wait()
	lost, err := unix.GetsockoptTpacketStats(t.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	err = errors.Join(t.err, err, unix.Close(t.fd))
	if err == nil && lost.Drops > 0 {
		err = fmt.Errorf("%d frames came by too fast", lost.Drops)
	}
	if err != nil {
		return nil, fmt.Errorf("hear what crosses the switch: %w", err)
	}
	return t.flows, nil
}
