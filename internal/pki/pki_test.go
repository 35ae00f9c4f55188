package pki_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aorta/internal/pki"
	"aorta/internal/testkit"
)

func open(t *testing.T) (*pki.Authority, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pki")
	a, err := pki.Open(dir, true)
	testkit.Must(t, err)
	return a, dir
}

// member is a node of an authority's cluster.
func member(t *testing.T, a *pki.Authority) *pki.Identity {
	t.Helper()
	who, err := pki.OpenIdentity(filepath.Join(t.TempDir(), "node"))
	testkit.Must(t, err)
	request, err := who.Request()
	testkit.Must(t, err)
	key, err := pki.ReadRequest(request)
	testkit.Must(t, err)
	cert, err := a.Node("n1", key)
	testkit.Must(t, err)
	testkit.Must(t, who.Install(cert, a.PEM()))
	return who
}

func TestOpen_KeepsOneAuthority(t *testing.T) {
	t.Parallel()
	first, dir := open(t)

	again, err := pki.Open(dir, false)
	testkit.Must(t, err)
	if again.Fingerprint() != first.Fingerprint() || len(first.Fingerprint()) != 64 {
		t.Errorf("got the authority %s, then %s, want one", first.Fingerprint(), again.Fingerprint())
	}
	if info, err := os.Stat(filepath.Join(dir, "ca.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got the key %v (%v), want it for its owner alone", info, err)
	}
}

func TestOpen_RefusesWhatIsNotWhole(t *testing.T) {
	t.Parallel()
	_, other := open(t)
	for name, breaks := range map[string]func(dir string) error{
		"the certificate is lost": func(dir string) error { return os.Remove(filepath.Join(dir, "ca.crt")) },
		"the key is lost":         func(dir string) error { return os.Remove(filepath.Join(dir, "ca.key")) },
		"the key is garbage":      func(dir string) error { return os.WriteFile(filepath.Join(dir, "ca.key"), []byte("x"), 0o600) },
		"the key is another's": func(dir string) error {
			raw, err := os.ReadFile(filepath.Join(other, "ca.key"))
			testkit.Must(t, err)
			return os.WriteFile(filepath.Join(dir, "ca.key"), raw, 0o600)
		},
	} {
		_, dir := open(t)
		testkit.Must(t, breaks(dir))
		if _, err := pki.Open(dir, false); err == nil || !strings.Contains(err.Error(), "backup") {
			t.Errorf("%s: got %v, want it refused, and what to do", name, err)
		}
	}
}

func TestCheck_TellsNodesFromOthers(t *testing.T) {
	t.Parallel()
	a, _ := open(t)
	b, _ := open(t)
	server, err := a.Server()
	testkit.Must(t, err)

	for name, c := range map[string]struct {
		cert *x509.Certificate
		want error
	}{
		"its own node":           {member(t, a).Certificate(), nil},
		"another cluster's":      {member(t, b).Certificate(), pki.ErrForeign},
		"its server":             {server.Leaf, pki.ErrForeign},
		"the authority's itself": {parse(t, a.PEM()), pki.ErrForeign},
	} {
		if got := a.Check(c.cert); !errors.Is(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func parse(t *testing.T, text []byte) *x509.Certificate {
	t.Helper()
	cert, err := pki.ParseCertificate(text)
	testkit.Must(t, err)
	return cert
}

func TestIdentity_IsForItsKeyAlone(t *testing.T) {
	t.Parallel()
	a, _ := open(t)
	one, other := member(t, a), member(t, a)
	cert, err := os.ReadFile(other.Files().Cert)
	testkit.Must(t, err)

	if err := one.Install(cert, nil); err == nil || !strings.Contains(err.Error(), "another key") {
		t.Errorf("got %v, want another key's certificate refused", err)
	}
	again, err := pki.OpenIdentity(filepath.Dir(one.Files().Key))
	testkit.Must(t, err)
	if again.Certificate() == nil || !again.Certificate().Equal(one.Certificate()) {
		t.Error("got another certificate from the same directory")
	}
}

func TestReadRequest_RefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	a, _ := open(t)
	request, err := member(t, a).Request()
	testkit.Must(t, err)
	broken := []byte(strings.Replace(string(request), "M", "N", 1))
	for name, text := range map[string][]byte{"nothing": nil, "text": []byte("hello"), "a certificate": a.PEM(), "a broken one": broken} {
		if _, err := pki.ReadRequest(text); err == nil {
			t.Errorf("%s: got a key of it", name)
		}
	}
}

// The pacemaker's servers are known by their name and authority, whatever their
// address and the clock say.
func TestTrust_KnowsTheServers(t *testing.T) {
	t.Parallel()
	a, _ := open(t)
	b, _ := open(t)
	node := member(t, a)
	trust, err := node.Trust()
	testkit.Must(t, err)
	foreign, err := member(t, b).Trust()
	testkit.Must(t, err)

	for name, c := range map[string]struct {
		trust *tls.Config
		says  string
	}{
		"by its authority":                {trust, ""},
		"by its fingerprint":              {pki.TrustFingerprint(a.Fingerprint()), ""},
		"of another cluster":              {foreign, "unknown authority"},
		"another cluster, by fingerprint": {pki.TrustFingerprint(b.Fingerprint()), "belongs to another cluster"},
	} {
		err := connect(t, a, c.trust)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
	}
}

// Programs that go by their machine's clock know the servers, too, however wrong it is.
func TestServer_IsValidByAnyClock(t *testing.T) {
	t.Parallel()
	a, _ := open(t)
	server, err := a.Server()
	testkit.Must(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parse(t, a.PEM()))

	for _, off := range []time.Duration{0, time.Hour, -time.Hour, -20 * 8766 * time.Hour, 20 * 8766 * time.Hour} {
		_, err := server.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: pki.ServerName, CurrentTime: time.Now().Add(off)})
		if err != nil {
			t.Errorf("by a clock that is off by %v: %v", off, err)
		}
	}
}

// connect makes a connection to a server of the authority.
func connect(t *testing.T, a *pki.Authority, trust *tls.Config) error {
	t.Helper()
	cert, err := a.Server()
	testkit.Must(t, err)
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	served := make(chan error, 1)
	go func() {
		served <- tls.Server(far, &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequestClientCert}).Handshake()
	}()
	client := tls.Client(near, trust)
	testkit.Must(t, client.SetDeadline(time.Now().Add(testkit.Hang)))
	err = client.Handshake()
	near.Close()
	<-served
	return err
}

func TestTrustFingerprint_RefusesAStrangerInTheMiddle(t *testing.T) {
	t.Parallel()
	a, _ := open(t)
	b, _ := open(t)
	// Who has seen the true authority's certificate shows it behind one of his own.
	stolen, err := b.Server()
	testkit.Must(t, err)
	stolen.Certificate[1] = parse(t, a.PEM()).Raw
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		_ = tls.Server(far, &tls.Config{Certificates: []tls.Certificate{stolen}}).Handshake()
		far.Close()
	}()
	client := tls.Client(near, pki.TrustFingerprint(a.Fingerprint()))
	testkit.Must(t, client.SetDeadline(time.Now().Add(testkit.Hang)))

	if err := client.Handshake(); err == nil {
		t.Error("got the stranger accepted")
	}
}

func TestServerFiles_AreMadeOnce(t *testing.T) {
	t.Parallel()
	a, dir := open(t)
	first, err := a.ServerFiles(dir, "redis")
	testkit.Must(t, err)
	before, err := os.ReadFile(first.Cert)
	testkit.Must(t, err)

	_, err = a.ServerFiles(dir, "redis")
	testkit.Must(t, err)
	after, err := os.ReadFile(first.Cert)
	testkit.Must(t, err)
	if string(after) != string(before) {
		t.Error("got another certificate for the server at its second start")
	}
	if _, err := tls.LoadX509KeyPair(first.Cert, first.Key); err != nil {
		t.Errorf("got %v, want a certificate with its key", err)
	}
}

func TestRenewAt_LeavesAThird(t *testing.T) {
	t.Parallel()
	from := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	if got, want := pki.RenewAt(&x509.Certificate{NotBefore: from, NotAfter: from.Add(90 * time.Hour)}), from.Add(60*time.Hour); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
