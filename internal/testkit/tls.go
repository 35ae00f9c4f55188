package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// RedisTLSServer is a redis-server that speaks TLS on a port of 127.0.0.1,
// under a certificate of an authority that was made for it.
type RedisTLSServer struct {
	*RedisServer                // its unix socket is without TLS
	Addr         string         // host:port
	CA           *x509.CertPool // the authority
}

// RedisTLS starts a redis-server with TLS. Clients need no certificate. Extra
// arguments are appended to its command line.
func RedisTLS(tb testing.TB, extra ...string) *RedisTLSServer {
	tb.Helper()
	dir, port := ShortDir(tb), FreePort(tb)
	ca := Certs(tb, dir, net.IPv4(127, 0, 0, 1))
	args := append([]string{
		"--tls-port", port, "--bind", "127.0.0.1", "--tls-auth-clients", "no",
		"--tls-cert-file", filepath.Join(dir, "server.crt"),
		"--tls-key-file", filepath.Join(dir, "server.key"),
		"--tls-ca-cert-file", filepath.Join(dir, "ca.crt"),
	}, extra...)
	return &RedisTLSServer{
		RedisServer: Redis(tb, args...), Addr: net.JoinHostPort("127.0.0.1", port), CA: ca,
	}
}

// Certs makes an authority and the certificate of a server at an address: it writes
// ca.crt, server.crt and server.key, and returns the authority.
func Certs(tb testing.TB, dir string, server net.IP) *x509.CertPool {
	tb.Helper()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: server.String()},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		IPAddresses: []net.IP{server},
		KeyUsage:    x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	caKey, serverKey := makeKey(tb), makeKey(tb)
	caDER := sign(tb, authority, authority, caKey, caKey)
	writePEM(tb, filepath.Join(dir, "ca.crt"), "CERTIFICATE", caDER)
	writePEM(tb, filepath.Join(dir, "server.crt"), "CERTIFICATE", sign(tb, cert, authority, serverKey, caKey))
	keyDER, err := x509.MarshalECPrivateKey(serverKey)
	if err != nil {
		tb.Fatalf("encode the server's key: %v", err)
	}
	writePEM(tb, filepath.Join(dir, "server.key"), "EC PRIVATE KEY", keyDER)
	root, err := x509.ParseCertificate(caDER)
	if err != nil {
		tb.Fatalf("read the authority's certificate: %v", err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return pool
}

func makeKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatalf("make a key: %v", err)
	}
	return key
}

func sign(tb testing.TB, cert, parent *x509.Certificate, key, by *ecdsa.PrivateKey) []byte {
	tb.Helper()
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, by)
	if err != nil {
		tb.Fatalf("sign the certificate of %s: %v", cert.Subject.CommonName, err)
	}
	return der
}

func writePEM(tb testing.TB, path, kind string, der []byte) {
	tb.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		tb.Fatalf("write %s: %v", path, err)
	}
}
