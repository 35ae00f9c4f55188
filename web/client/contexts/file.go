package contexts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"syscall"

	"aorta/internal/atomicfile"
)

// Context is one cluster as one caller.
type Context struct {
	URL   string `json:"url"`
	Token string `json:"token"`
}

// File is what the file holds. Current names the context that is used when
// nothing else is said; it may be empty.
type File struct {
	Current  string             `json:"current"`
	Contexts map[string]Context `json:"contexts"`
}

// Path is where the file lies: $AORTA_CONFIG, else ~/.config/aorta/config.json.
// Getenv is os.Getenv or a stand-in.
func Path(getenv func(string) string) (string, error) {
	if p := getenv("AORTA_CONFIG"); p != "" {
		return p, nil
	}
	home := getenv("HOME")
	if home == "" {
		return "", errors.New("find the contexts' file: neither HOME nor AORTA_CONFIG is set")
	}
	return filepath.Join(home, ".config", "aorta", "config.json"), nil
}

// Load reads the file; one that is not there holds nothing.
func Load(path string) (File, error) {
	f := File{Contexts: map[string]Context{}}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("read contexts: %w", err)
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return f, fmt.Errorf("read contexts: %s is not the JSON it should be (%w); mend it, or move it away and log in again", path, err)
	}
	if f.Contexts == nil {
		f.Contexts = map[string]Context{}
	}
	return f, nil
}

// Change reads the file, lets change alter it and writes it back, while no
// other process can. When change gives an error, nothing is written.
func Change(path string, change func(*File) error) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // a linked file stays a link
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the contexts' directory: %w", err)
	}
	unlock, err := lock(path + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	f, err := Load(path)
	if err != nil {
		return err
	}
	if err := change(&f); err != nil {
		return err
	}
	return write(path, f)
}

// Offer keeps the context of a cluster that names itself, and makes it the
// current one when there is none. Where the name stands for another cluster
// already, it is kept under the name with its port. The same cluster, by its
// token, may have moved to another URL.
func Offer(path, name string, c Context) error {
	return Change(path, func(f *File) error {
		if had, ok := f.Contexts[name]; ok && had.URL != c.URL && had.Token != c.Token {
			if u, err := url.Parse(c.URL); err == nil && u.Port() != "" {
				name += "-" + u.Port()
			}
		}
		f.add(name, c)
		return nil
	})
}

func (f *File) add(name string, c Context) {
	f.Contexts[name] = c
	if _, ok := f.Contexts[f.Current]; !ok {
		f.Current = name
	}
}

// Names are the contexts' names, sorted.
func (f File) Names() []string {
	names := make([]string, 0, len(f.Contexts))
	for n := range f.Contexts {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// lock waits for the lock file, which the kernel frees when its holder dies.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock contexts: %w", err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err == nil {
			return func() {
				_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) // as a child has it open, too, until its program starts
				_ = f.Close()
			}, nil
		}
		if !errors.Is(err, syscall.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("lock contexts: %w", err)
		}
	}
}

// write puts the file in place whole: a reader sees the old or the new one.
func write(path string, f File) error {
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("encode contexts: %w", err)
	}
	if err := atomicfile.Write(path, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	return nil
}
