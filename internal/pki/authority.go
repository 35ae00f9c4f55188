package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"aorta/internal/atomicfile"
)

const (
	// ServerName is who the pacemaker's servers are, whatever their addresses: the
	// authority is one cluster's alone.
	ServerName = "pacemaker.aorta.internal"

	// backdated is how far before its making a certificate begins, for clocks that
	// are behind.
	backdated = 24 * time.Hour
	// authorityLife is how long the authority lasts from its making on, and what its
	// servers show. Both begin at the beginning of all clocks: programs that go by the
	// machine's, as Redis does, know them too while that is behind by years.
	authorityLife = 40 * 365 * 24 * time.Hour
	// NodeLife is how long a node's certificate lasts.
	NodeLife = 90 * 24 * time.Hour
)

// Authority signs for one cluster. It may be used by many goroutines.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  func() time.Time
	life time.Duration // of what nodes are given
}

// Open reads the authority in a directory. One that is not there is made if fresh is
// set; else that is an error, since every node trusts the one that is lost.
func Open(dir string, fresh bool) (*Authority, error) {
	certPath, keyPath := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key")
	_, err := os.Stat(certPath)
	if errors.Is(err, fs.ErrNotExist) && fresh {
		return makeAuthority(dir, certPath, keyPath)
	}
	a := &Authority{now: time.Now, life: NodeLife}
	if a.key, err = readKey(keyPath); err != nil {
		return nil, fmt.Errorf("read the cluster's authority: %w (bring %s back from a backup: every node trusts it)", err, dir)
	}
	if a.cert, err = readCertificate(certPath); err != nil {
		return nil, fmt.Errorf("read the cluster's authority: %w (bring %s back from a backup: every node trusts it)", err, dir)
	}
	if !a.key.PublicKey.Equal(a.cert.PublicKey) {
		return nil, fmt.Errorf("the key %s does not belong to %s: bring both back from one backup", keyPath, certPath)
	}
	return a, nil
}

// makeAuthority writes the certificate last: with it the authority is there.
func makeAuthority(dir, certPath, keyPath string) (*Authority, error) {
	key, err := NewKey()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the authority's directory: %w", err)
	}
	a := &Authority{key: key, now: time.Now, life: NodeLife}
	if a.cert, err = a.selfSign(); err != nil {
		return nil, err
	}
	if err := writeKey(keyPath, key); err != nil {
		return nil, err
	}
	return a, atomicfile.Write(certPath, a.PEM(), 0o644)
}

func (a *Authority) selfSign() (*x509.Certificate, error) {
	begins := time.Unix(0, 0)
	template, err := a.template("Aorta cluster authority", begins, a.now().Add(authorityLife).Sub(begins))
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	return a.sign(template, template, a.key.Public())
}

// template is of a certificate with a serial number that nobody can guess.
func (a *Authority) template(name string, begins time.Time, life time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: begins.UTC(), NotAfter: begins.Add(life).UTC(),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}, nil
}

func (a *Authority) sign(template, parent *x509.Certificate, public crypto.PublicKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, a.key)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate for %s: %w", template.Subject.CommonName, err)
	}
	return x509.ParseCertificate(der)
}

// PEM is the authority's certificate, which is no secret.
func (a *Authority) PEM() []byte { return encodeCertificate(a.cert.Raw) }

// Fingerprint is the SHA-256 of the authority's certificate in hexadecimal: 64
// characters, by which a node knows it that has never spoken with it.
func (a *Authority) Fingerprint() string { return fingerprint(a.cert.Raw) }

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// KeyHash names a public key: the SHA-256 of its DER form, in hexadecimal.
func KeyHash(public crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", fmt.Errorf("name a key: %w", err)
	}
	return fingerprint(der), nil
}

// NewKey makes a private key.
func NewKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return key, nil
}
