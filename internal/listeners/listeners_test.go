package listeners

import (
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
)

func nobody(int) bool { return false }

func listen(t *testing.T, network, addr string) string {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func TestCheck_NamesTheCause(t *testing.T) {
	specific := listen(t, "tcp", "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(specific)
	wide := listen(t, "tcp", ":0") // both families
	_, widePort, _ := net.SplitHostPort(wide)

	for addr, want := range map[string]string{
		"127.0.0.1:0":           "",
		":0":                    "",
		"127.0.0.2:" + port:     "", // another address has the port
		specific:                specific + " is in use by listeners.test (process ",
		":" + port:              ":" + port + " is in use by listeners.test (process " + strconv.Itoa(os.Getpid()) + ", at " + specific + ")",
		"127.0.0.1:" + widePort: "127.0.0.1:" + widePort + " is in use by",
		"192.0.2.1:0":           "192.0.2.1 is no address of this machine",
	} {
		err := Check(addr, nobody)

		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", addr, err, want)
		}
	}
}

func TestCheck_WhatIsOursIsFree(t *testing.T) {
	addr := listen(t, "tcp", "127.0.0.1:0")

	err := Check(addr, func(pid int) bool { return pid == os.Getpid() })
	if err != nil {
		t.Errorf("got %v, want it free for us", err)
	}
}

func TestOverlaps_TellsWildcardsFromTheSameAddress(t *testing.T) {
	addr := listen(t, "tcp", "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(addr)

	for ask, want := range map[string]bool{addr: false, ":" + port: true, "127.0.0.2:" + port: false} {
		if got, err := Overlaps(ask); err != nil || got != want {
			t.Errorf("%s: got %t (%v), want %t", ask, got, err, want)
		}
	}
}

func TestParseSocket_ReadsBothFamilies(t *testing.T) {
	for line, want := range map[string]string{
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0 100 0 0 10 0":                                                 "127.0.0.1:8080",
		"   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0 100 0 0 10 0": "[::1]:80",
		"   0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 12345 1 0 100 0 0 10 0":                                                 "",
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode":                                                                  "",
	} {
		s, ok := parseSocket(line)

		if ok != (want != "") || ok && (s.addr.String() != want || s.inode != "12345") {
			t.Errorf("%q: got %v %s (%t), want %q", line, s.addr, s.inode, ok, want)
		}
	}
}
