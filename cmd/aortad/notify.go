package main

import (
	"fmt"
	"net"
	"os"
)

// serviceManager is the socket on which the service manager waits for the daemon
// to be ready; empty if there is none.
type serviceManager string

// findManager takes the socket from the environment, and out of it: what the
// daemon starts must not speak for it.
func findManager() serviceManager {
	defer func() { _ = os.Unsetenv("NOTIFY_SOCKET") }()
	return serviceManager(os.Getenv("NOTIFY_SOCKET"))
}

// ready says that the node's roles work.
func (m serviceManager) ready() error {
	if m == "" {
		return nil
	}
	conn, err := net.Dial("unixgram", string(m))
	if err == nil {
		_, err = conn.Write([]byte("READY=1"))
		_ = conn.Close()
	}
	if err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}
