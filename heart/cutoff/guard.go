package cutoff

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"aorta/internal/atomicfile"
)

// Guard is the heart's side of a node's directory.
type Guard struct {
	dir, boot string

	mu      sync.Mutex // guards the rest
	contact Contact
	lapses  uint64   // that have ended
	file    *os.File // of the contact; nil until a container is held
}

// Open reads what a heart of before has left in a directory, and goes on with what that
// held. Nothing is written.
func Open(dir string) (*Guard, error) {
	boot, err := bootID()
	if err != nil {
		return nil, err
	}
	contact, err := readContact(dir, boot)
	if errors.Is(err, errTorn) { // by a loss of power
		contact, err = Contact{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read when the pacemaker was reached: %w", err)
	}
	g := &Guard{dir: dir, boot: boot, contact: contact}
	list, err := held(dir)
	if err == nil && len(list) > 0 {
		g.file, err = openContact(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("go on with what is held to the pacemaker's word: %w", err)
	}
	return g, nil
}

func openContact(dir string) (*os.File, error) {
	return os.OpenFile(contactFile(dir), os.O_RDWR|os.O_CREATE, 0o600)
}

// Dir is where the node's containers are held.
func (g *Guard) Dir() string { return g.dir }

// Contact is the last one.
func (g *Guard) Contact() Contact {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.contact
}

// CutOff says that the pacemaker was not reached for so long that what is held is to end.
func (g *Guard) CutOff() bool { return g.Left() <= 0 }

// Lapses is how often what is held had to end before the pacemaker was reached again,
// whether anybody looked meanwhile or not: another one may have taken its place since. The
// first contact of a node ends one.
func (g *Guard) Lapses() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lapses
}

// Unbroken says that the pacemaker was reached all the time since there were so many
// lapses.
func (g *Guard) Unbroken(lapses uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lapses == lapses && Now() < g.contact.StopAt()
}

// Left is the time until then.
func (g *Guard) Left() time.Duration { return g.Contact().StopAt() - Now() }

// Overdue says that what is held is to be killed.
func (g *Guard) Overdue() bool { return Now() >= g.Contact().KillAt() }

// Holds says that containers are held.
func (g *Guard) Holds() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.file != nil
}

// Reached notes a contact.
func (g *Guard) Reached(c Contact) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if Now() >= g.contact.StopAt() { // also where the report was sent before, and its answer read now
		g.lapses++
	}
	g.contact = c
	if g.file == nil {
		return nil
	}
	return g.write()
}

func (g *Guard) write() error {
	if _, err := g.file.WriteAt(g.contact.encode(g.boot), 0); err != nil {
		return fmt.Errorf("note when the pacemaker was reached: %w", err)
	}
	return nil
}

// Hold holds an instance's container, by the engine's id of it, to the contact, in the
// place of one of before. It is called before its first start.
func (g *Guard) Hold(instance, container string) error {
	if err := os.MkdirAll(heldDir(g.dir), 0o700); err != nil {
		return fmt.Errorf("hold a container to the pacemaker's word: %w", err)
	}
	if err := g.noteFirst(); err != nil {
		return err
	}
	if err := atomicfile.Replace(heldFile(g.dir, instance), []byte(container), 0o600); err != nil {
		return fmt.Errorf("hold a container to the pacemaker's word: %w", err)
	}
	return nil
}

// noteFirst writes the contact down, before what is held to it.
func (g *Guard) noteFirst() (err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.file == nil {
		if g.file, err = openContact(g.dir); err != nil {
			return fmt.Errorf("note when the pacemaker was reached: %w", err)
		}
	}
	return g.write()
}

// Ended says that the instance's process was killed by what is here since Starts, and
// whether that was told to end rather than overdue.
func (g *Guard) Ended(instance string) (ended, told bool) {
	why, err := os.ReadFile(endedFile(g.dir, instance))
	return err == nil, string(why) == toldToEnd
}

// Starts notes that the instance's process is about to start again.
func (g *Guard) Starts(instance string) error { return remove(endedFile(g.dir, instance)) }

// Release lets go of an instance of which nothing is left.
func (g *Guard) Release(instance string) error {
	return errors.Join(remove(heldFile(g.dir, instance)), remove(endedFile(g.dir, instance)))
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("let go of a container: %w", err)
	}
	return nil
}

func heldDir(dir string) string { return filepath.Join(dir, "held") }

func heldFile(dir, instance string) string { return filepath.Join(heldDir(dir), instance) }

const endedMark = ".ended"

func endedFile(dir, instance string) string { return heldFile(dir, instance) + endedMark }

// Held are the instances that are held in a directory.
func Held(dir string) (list []string, err error) {
	all, err := held(dir)
	if err != nil {
		return nil, fmt.Errorf("read what is held to the pacemaker's word: %w", err)
	}
	for id := range all {
		list = append(list, id)
	}
	return list, nil
}

// held are the containers in a directory, by their instances; nil where nothing was ever
// held.
func held(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(heldDir(dir))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list := map[string]string{}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), endedMark) || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		id, err := os.ReadFile(heldFile(dir, e.Name()))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		if len(id) >= shortestID {
			list[e.Name()] = string(id)
		}
	}
	return list, nil
}

// shortestID is less than an engine gives: a part of it must not be found in other groups.
const shortestID = 32
