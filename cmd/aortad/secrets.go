package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"aorta/internal/atomicfile"
)

// secrets are the passwords between the parts of one node or cluster. All
// follow from one random root, so that a user that is added later needs no
// new secret.
type secrets struct {
	Root string `json:"root"`
}

func loadSecrets(path string) (secrets, error) {
	var s secrets
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeSecrets(path)
	}
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	if err == nil && len(s.Root) < 26 {
		err = errors.New("the root secret is missing")
	}
	if err != nil {
		return s, fmt.Errorf("read the secrets in %s: %w", path, err)
	}
	return s, nil
}

func makeSecrets(path string) (secrets, error) {
	s := secrets{Root: rand.Text() + rand.Text()}
	raw, err := json.Marshal(s)
	if err != nil {
		return s, fmt.Errorf("make the secrets: %w", err)
	}
	return s, atomicfile.Write(path, raw, 0o600)
}

// password is the one of a user of a server.
func (s secrets) password(server, user string) string {
	mac := hmac.New(sha256.New, []byte(s.Root))
	mac.Write([]byte(server + "/" + user))
	return hex.EncodeToString(mac.Sum(nil))
}
