// Package seal encrypts what must not lie readable on a disk: config vars and
// the config snapshots of releases. It is not for passwords or tokens, which
// are hashed, and it keeps nothing but its key.
package seal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"filippo.io/age"

	"aorta/internal/atomicfile"
)

// Sealer seals and opens texts with one key.
type Sealer struct{ key *age.X25519Identity }

// Open reads the key file, or makes it (mode 0600) when create is set and it
// is not there. A missing key with data sealed by it would lose that data, so
// only a first start creates one.
func Open(path string, create bool) (*Sealer, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && create {
		return generate(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of the config vars: %w", err)
	}
	key, err := age.ParseX25519Identity(strings.TrimSpace(string(raw)))
	if err != nil {
		return nil, fmt.Errorf("read the key of the config vars in %s: %w", path, err)
	}
	return &Sealer{key: key}, nil
}

func generate(path string) (*Sealer, error) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("make a key for the config vars: %w", err)
	}
	if err := atomicfile.Write(path, []byte(key.String()+"\n"), 0o600); err != nil {
		return nil, err
	}
	return &Sealer{key: key}, nil
}

// Seal encrypts plain; the result is text.
func (s *Sealer) Seal(plain string) (string, error) {
	var buf bytes.Buffer
	w, err := age.Encrypt(&buf, s.key.Recipient())
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	if _, err := io.WriteString(w, plain); err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return base64.RawStdEncoding.EncodeToString(buf.Bytes()), nil
}

// Unseal decrypts what Seal made.
func (s *Sealer) Unseal(sealed string) (string, error) {
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("unseal: %w", err)
	}
	r, err := age.Decrypt(bytes.NewReader(raw), s.key)
	if err != nil {
		return "", fmt.Errorf("unseal (was it sealed with another key?): %w", err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return "", fmt.Errorf("unseal: %w", err)
	}
	return string(plain), nil
}
