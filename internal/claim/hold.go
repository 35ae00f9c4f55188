package claim

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// answerTimeout is how long who holds a claim may take to say where it is.
const answerTimeout = 2 * time.Second

func newName() string { return rand.Text() }

// hold keeps the claim's socket, which ends with this process, and tells who
// asks which directory it is for.
func hold(name, dir string) (net.Listener, error) {
	address := &net.UnixAddr{Net: "unix", Name: "@aorta-claim-" + name}
	l, err := net.ListenUnix("unix", address)
	if errors.Is(err, unix.EADDRINUSE) {
		return nil, &CopyError{Dir: dir, Original: holder(address), Running: true}
	}
	if err != nil {
		return nil, fmt.Errorf("hold the claim on %s: %w", dir, err)
	}
	go answer(l, dir) // ends with the listener
	return l, nil
}

func answer(l net.Listener, dir string) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_ = conn.SetDeadline(time.Now().Add(answerTimeout))
		_, _ = io.WriteString(conn, dir)
		_ = conn.Close()
	}
}

// holder is the directory of who holds a claim.
func holder(address *net.UnixAddr) string {
	conn, err := net.DialUnix("unix", nil, address)
	if err != nil {
		return "another directory"
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(answerTimeout))
	dir, err := io.ReadAll(io.LimitReader(conn, 4096))
	if err != nil || len(dir) == 0 {
		return "another directory"
	}
	return string(dir)
}
