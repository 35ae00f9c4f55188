package pki

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Trust is for connections to the pacemaker's servers, of which the authority is
// known, as PEM. Whatever the clock says: else a node whose clock is wrong by years
// would lose its cluster.
func Trust(authority []byte) (*tls.Config, error) {
	cert, err := ParseCertificate(authority)
	if err != nil {
		return nil, fmt.Errorf("the cluster's authority %w", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: ServerName,
		Time: func() time.Time { return cert.NotBefore.Add(backdated) },
	}, nil
}

// TrustFingerprint is for the first connection, by whoever knows of the authority its
// fingerprint alone. Nothing is sent to anybody who can't show it.
func TrustFingerprint(want string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: ServerName,
		InsecureSkipVerify: true, //nolint:gosec // what is verified is below
		VerifyConnection:   func(s tls.ConnectionState) error { return checkShown(s.PeerCertificates, want) },
	}
}

// ForeignError is another authority than the one that was asked for.
type ForeignError struct{ Got, Want string }

// Error names both by the beginnings of their fingerprints.
func (e *ForeignError) Error() string {
	if e.Got == "" {
		return "it shows no authority of a cluster: is it the address of a nodes' API (port 7421)?"
	}
	return fmt.Sprintf("it belongs to another cluster: its authority is %.12s…, the token's is %.12s…", e.Got, e.Want)
}

// checkShown verifies a chain whose last certificate must have the fingerprint.
func checkShown(chain []*x509.Certificate, want string) error {
	if len(chain) < 2 {
		return &ForeignError{Want: want}
	}
	authority := chain[len(chain)-1]
	if got := fingerprint(authority.Raw); got != want {
		return &ForeignError{Got: got, Want: want}
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, DNSName: ServerName, CurrentTime: authority.NotBefore.Add(backdated), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return errors.Join(&ForeignError{Want: want}, err)
	}
	return nil
}

// Client is for connections to a server that shows a certificate made out to a name,
// which empty is the host that is dialled, by an authority in PEM, which empty is any
// that the system trusts.
func Client(authority, name string) (*tls.Config, error) {
	trust := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: name}
	if authority == "" {
		return trust, nil
	}
	trust.RootCAs = x509.NewCertPool()
	if !trust.RootCAs.AppendCertsFromPEM([]byte(authority)) {
		return nil, errors.New("holds no certificate in PEM")
	}
	return trust, nil
}
