package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// What a node's certificate can be refused for.
var (
	// ErrForeign is a certificate that this authority has not signed for a node.
	ErrForeign = errors.New("the certificate is not one of this cluster's nodes")
	// ErrExpired is a node's certificate out of its time, which its key may renew.
	ErrExpired = errors.New("the node's certificate has expired, or is not valid yet by this clock")
)

// Request asks for a certificate: it shows that the asker holds the key. PEM.
func Request(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "node"}}, key)
	if err != nil {
		return nil, fmt.Errorf("ask for a certificate: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}

// ReadRequest gives the key that a request is for, if the asker holds it. Other kinds
// of keys than ours are refused.
func ReadRequest(text []byte) (crypto.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return nil, errors.New("is no certificate request in PEM")
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("is no certificate request: %w", err)
	}
	if err := request.CheckSignature(); err != nil {
		return nil, fmt.Errorf("is not signed by its key: %w", err)
	}
	key, ours := request.PublicKey.(*ecdsa.PublicKey)
	if !ours || key.Curve.Params().BitSize != 256 {
		return nil, errors.New("is for another kind of key than ECDSA P-256")
	}
	return key, nil
}

// SetNodeLife has the nodes' certificates last for another time than NodeLife, so that
// tests see them renewed and expire.
func (a *Authority) SetNodeLife(life time.Duration) { a.life = life }

// Node signs a node's key. The certificate proves the node to servers and is no
// server's. PEM.
func (a *Authority) Node(id string, key crypto.PublicKey) ([]byte, error) {
	before := min(backdated, a.life)
	begins := a.now().Add(-before)
	if begins.Before(a.cert.NotBefore) {
		begins = a.cert.NotBefore
	}
	template, err := a.template(id, begins, a.life+before)
	if err != nil {
		return nil, err
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	cert, err := a.sign(template, a.cert, key)
	if err != nil {
		return nil, err
	}
	return encodeCertificate(cert.Raw), nil
}

// Check says whether a certificate is a node's: nil, ErrExpired or ErrForeign.
func (a *Authority) Check(cert *x509.Certificate) error {
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	// In the middle of its time, whatever that is: the clock is asked for below.
	during := cert.NotBefore.Add(cert.NotAfter.Sub(cert.NotBefore) / 2)
	_, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: during, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil || cert.IsCA {
		return ErrForeign
	}
	if now := a.now(); now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return ErrExpired
	}
	return nil
}

// RenewAt is when a node asks for its next certificate: with a third of the time left.
func RenewAt(cert *x509.Certificate) time.Time {
	return cert.NotAfter.Add(-cert.NotAfter.Sub(cert.NotBefore) / 3)
}
