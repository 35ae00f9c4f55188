package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"aorta/internal/atomicfile"
)

// record is what is on disk about a lab, before anything of it is made.
type record struct {
	ID     string   `json:"id"`  // in the names of all that lies outside of its directory
	Dir    string   `json:"dir"` // where it lies
	Tree   string   `json:"tree"`
	Daemon string   `json:"daemon"`
	Client string   `json:"client"`
	Memory int64    `json:"memory"` // bytes that each host may use
	Bare   bool     `json:"bare,omitempty"`
	Env    []string `json:"env,omitempty"`
	Hosts  []Spec   `json:"hosts"`
	Cuts   []Cut    `json:"cuts,omitempty"`
}

// ErrNone says that there is no lab in a directory.
var ErrNone = errors.New("there is no lab")

func recordFile(dir string) string { return filepath.Join(dir, "lab.json") }

// place is a lab's directory by its one name, whatever links lead there.
func place(dir string) (string, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real, nil
	}
	return path, nil // it is still to be made
}

// idOf is the id of the lab in a directory.
func idOf(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:4])
}

func readRecord(dir string) (record, error) {
	var r record
	dir, err := place(dir)
	if err != nil {
		return r, err
	}
	raw, err := os.ReadFile(recordFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("%w in %s", ErrNone, dir)
	}
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	switch {
	case err != nil:
		return r, fmt.Errorf("read what is known of the lab in %s: %w", dir, err)
	case r.Dir != dir || r.ID != idOf(dir):
		return r, fmt.Errorf("%s was made as the lab in %s: move it back there, else what that one has running would be taken for this one's", dir, r.Dir)
	}
	return r, nil
}

func (r record) write() error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = atomicfile.Write(recordFile(r.Dir), raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("record the lab: %w", err)
	}
	return nil
}
