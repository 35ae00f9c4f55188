// Package seal encrypts what must not lie readable on a disk: config vars and
// the config snapshots of releases. It is not for passwords or tokens, which
// are hashed, and it keeps nothing but its key.
package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
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

// Sealer seals and opens texts with one key. Those of earlier versions were sealed
// for the key as a recipient of age, which takes some sixty times as long.
type Sealer struct {
	earlier *age.X25519Identity
	aead    cipher.AEAD
}

// mark begins what is sealed by AES-GCM, by a key that is derived from the file's.
// Earlier versions wrote base64 alone.
const mark = "2."

func newSealer(key *age.X25519Identity) (*Sealer, error) {
	derived, err := hkdf.Key(sha256.New, []byte(key.String()), nil, "aorta sealed texts 2", 32)
	if err != nil {
		return nil, fmt.Errorf("derive the key of the config vars: %w", err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, fmt.Errorf("derive the key of the config vars: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("derive the key of the config vars: %w", err)
	}
	return &Sealer{earlier: key, aead: aead}, nil
}

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
	return newSealer(key)
}

func generate(path string) (*Sealer, error) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("make a key for the config vars: %w", err)
	}
	if err := atomicfile.Write(path, []byte(key.String()+"\n"), 0o600); err != nil {
		return nil, err
	}
	return newSealer(key)
}

// Seal encrypts plain; the result is text.
func (s *Sealer) Seal(plain string) string {
	return mark + base64.RawStdEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(plain), nil))
}

// Unseal decrypts what Seal made, of this version or an earlier one.
func (s *Sealer) Unseal(sealed string) (string, error) {
	text, now := strings.CutPrefix(sealed, mark)
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("unseal: %w", err)
	}
	if !now {
		return s.unsealEarlier(raw)
	}
	plain, err := s.aead.Open(nil, nil, raw, nil)
	if err != nil {
		return "", fmt.Errorf("unseal (was it sealed with another key?): %w", err)
	}
	return string(plain), nil
}

func (s *Sealer) unsealEarlier(raw []byte) (string, error) {
	r, err := age.Decrypt(bytes.NewReader(raw), s.earlier)
	if err != nil {
		return "", fmt.Errorf("unseal (was it sealed with another key?): %w", err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return "", fmt.Errorf("unseal: %w", err)
	}
	return string(plain), nil
}
