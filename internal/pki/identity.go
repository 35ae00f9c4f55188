package pki

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"aorta/internal/atomicfile"
)

// Identity is a node's key with its certificate, in a directory of the node's own. It
// may be used by many goroutines.
type Identity struct {
	dir string
	key *ecdsa.PrivateKey

	mu   sync.Mutex // guards cert
	cert *x509.Certificate
}

// OpenIdentity reads the identity in a directory, and makes its key if there is none:
// it never leaves the machine.
func OpenIdentity(dir string) (*Identity, error) {
	i := &Identity{dir: dir}
	var err error
	i.key, err = readKey(i.Files().Key)
	if errors.Is(err, fs.ErrNotExist) {
		err = i.makeKey()
	}
	if err != nil {
		return nil, fmt.Errorf("read the node's key: %w", err)
	}
	i.cert, err = readCertificate(i.Files().Cert)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the node's certificate: %w", err)
	}
	if i.cert != nil && !i.key.PublicKey.Equal(i.cert.PublicKey) {
		i.cert = nil // of a key that is gone
	}
	return i, nil
}

func (i *Identity) makeKey() (err error) {
	if err := os.MkdirAll(i.dir, 0o700); err != nil {
		return err
	}
	if i.key, err = NewKey(); err != nil {
		return err
	}
	return writeKey(i.Files().Key, i.key)
}

// Files are where it lies, for programs that read files.
func (i *Identity) Files() Files {
	return Files{Cert: filepath.Join(i.dir, "node.crt"), Key: filepath.Join(i.dir, "node.key"), CA: filepath.Join(i.dir, "ca.crt")}
}

// KeyHash names its key.
func (i *Identity) KeyHash() (string, error) { return KeyHash(i.key.Public()) }

// PublicKey is what a certificate is made out to.
func (i *Identity) PublicKey() *ecdsa.PublicKey { return &i.key.PublicKey }

// Request asks for a certificate of its key. PEM.
func (i *Identity) Request() ([]byte, error) { return Request(i.key) }

// Install keeps a certificate of its key, and the authority that signed it unless that
// is empty. PEM.
func (i *Identity) Install(certificate, authority []byte) error {
	cert, err := ParseCertificate(certificate)
	if err != nil {
		return fmt.Errorf("the node's certificate %w", err)
	}
	if !i.key.PublicKey.Equal(cert.PublicKey) {
		return errors.New("the certificate is for another key than the node's")
	}
	if len(authority) > 0 {
		if err := atomicfile.Write(i.Files().CA, authority, 0o644); err != nil {
			return err
		}
	}
	if err := atomicfile.Write(i.Files().Cert, certificate, 0o644); err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.cert = cert
	return nil
}

// Certificate is the present one, nil before the first.
func (i *Identity) Certificate() *x509.Certificate {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.cert
}

// Authority is who signs for the cluster. PEM.
func (i *Identity) Authority() ([]byte, error) {
	raw, err := os.ReadFile(i.Files().CA)
	if err != nil {
		return nil, fmt.Errorf("read the cluster's authority: %w", err)
	}
	return raw, nil
}

// Trust is for connections to the pacemaker, which show the certificate that the node
// has when they are made.
func (i *Identity) Trust() (*tls.Config, error) {
	authority, err := i.Authority()
	if err != nil {
		return nil, err
	}
	trust, err := Trust(authority)
	if err != nil {
		return nil, err
	}
	trust.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		cert := i.Certificate()
		if cert == nil {
			return nil, errors.New("the node has no certificate")
		}
		return &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: i.key, Leaf: cert}, nil
	}
	return trust, nil
}
