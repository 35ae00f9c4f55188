package pki

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"aorta/internal/testkit"
)

// A clock that is wrong by some hours does no harm; by years, the certificate is to be
// renewed, and is still known as a node's.
func TestCheck_ByTheClock(t *testing.T) {
	t.Parallel()
	a, err := Open(filepath.Join(t.TempDir(), "pki"), true)
	testkit.Must(t, err)
	key, err := NewKey()
	testkit.Must(t, err)
	text, err := a.Node("n1", key.Public())
	testkit.Must(t, err)
	cert, err := ParseCertificate(text)
	testkit.Must(t, err)

	for off, want := range map[time.Duration]error{
		0: nil, time.Hour: nil, -time.Hour: nil, NodeLife - time.Hour: nil,
		NodeLife + time.Hour: ErrExpired, 87600 * time.Hour: ErrExpired, -48 * time.Hour: ErrExpired,
	} {
		a.now = func() time.Time { return time.Now().Add(off) }
		if got := a.Check(cert); !errors.Is(got, want) {
			t.Errorf("at %v: got %v, want %v", off, got, want)
		}
	}
}
