package pki

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"path/filepath"

	"aorta/internal/atomicfile"
)

// Files are a certificate, its key and the authority in PEM, as other programs read
// them.
type Files struct {
	Cert, Key, CA string
}

// Server is a certificate for the pacemaker's own listeners, with the authority's
// behind it: who knows only its fingerprint finds it there.
func (a *Authority) Server() (tls.Certificate, error) {
	key, err := NewKey()
	if err != nil {
		return tls.Certificate{}, err
	}
	template, err := a.template(ServerName, a.cert.NotBefore, a.cert.NotAfter.Sub(a.cert.NotBefore))
	if err != nil {
		return tls.Certificate{}, err
	}
	template.DNSNames = []string{ServerName}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf, err := a.sign(template, a.cert, key.Public())
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{leaf.Raw, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// ServerFiles is Server for a program that reads files: those in the directory,
// which are made if they are not there or are another authority's.
func (a *Authority) ServerFiles(dir, name string) (Files, error) {
	files := Files{Cert: filepath.Join(dir, name+".crt"), Key: filepath.Join(dir, name+".key"), CA: filepath.Join(dir, "ca.crt")}
	if a.signed(files) {
		return files, nil
	}
	made, err := a.Server()
	if err != nil {
		return files, err
	}
	if err := writeKey(files.Key, made.PrivateKey); err != nil {
		return files, err
	}
	if err := atomicfile.Write(files.Cert, encodeCertificate(made.Leaf.Raw), 0o644); err != nil {
		return files, fmt.Errorf("keep the certificate of %s: %w", name, err)
	}
	return files, nil
}

// signed says whether the files hold a certificate of this authority with its key.
func (a *Authority) signed(files Files) bool {
	cert, err := readCertificate(files.Cert)
	if err != nil || cert.CheckSignatureFrom(a.cert) != nil {
		return false
	}
	key, err := readKey(files.Key)
	return err == nil && key.PublicKey.Equal(cert.PublicKey)
}
