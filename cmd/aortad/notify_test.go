package main

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aorta/internal/testkit"
)

func TestServiceManager_HearsThatTheNodeIsReady(t *testing.T) {
	path := filepath.Join(testkit.ShortDir(t), "notify.sock")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	t.Setenv("NOTIFY_SOCKET", path)

	manager := findManager()
	err = manager.ready()

	got := make([]byte, 100)
	_ = conn.SetReadDeadline(time.Now().Add(testkit.Hang))
	n, readErr := conn.Read(got)
	if string(got[:n]) != "READY=1" || err != nil || readErr != nil {
		t.Errorf("got %q, %v, %v, want READY=1", got[:n], err, readErr)
	}
	if left, set := os.LookupEnv("NOTIFY_SOCKET"); set {
		t.Errorf("the environment still has NOTIFY_SOCKET=%s: children would speak for the daemon", left)
	}
	if err := findManager().ready(); err != nil {
		t.Errorf("got %v where nobody waits, want nothing", err)
	}
}
