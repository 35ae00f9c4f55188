package redisd

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

// adminUser may do everything. The server's own user "default" is off.
const adminUser = "admin"

// maxSocketPath is what fits in a unix socket's address, with its end mark.
const maxSocketPath = 107

// Persist says what a server keeps on disk.
type Persist int

const (
	// AOFAndRDB is for masters: each write is on disk within a second, and a
	// dump is made now and then.
	AOFAndRDB Persist = iota
	// RDBOnly is for replicas: a dump at most 10 s after a change, enough to
	// serve after a restart while the master is away.
	RDBOnly
)

// User is one of the server's ACL users.
type User struct {
	Name     string // lower case letters, digits, dashes; not "default" or "admin"
	Password string // never empty; the configuration file holds its SHA-256
	Rules    string // keys, channels and commands, for example ReplicaRules
	On       bool   // false: can't log in until OpenGate
}

// Master is what a replica follows.
type Master struct {
	Addr     string // ip:port
	User     string // one with ReplicaRules
	Password string
}

// TLS is how a server speaks over TCP: all of it encrypted. Who may log in is told by
// users and passwords; no client needs a certificate.
type TLS struct {
	Cert, Key string // PEM files
	CA        string // PEM file of the authority that the master's certificate is signed by
}

// Config describes a managed server.
type Config struct {
	Name          string   // "routes", "jobs", "stats", "routes-replica"; names socket, record and log
	Title         string   // for people; the name with "Redis" when empty
	DataDir       string   // dumps, AOF, redis.conf (0600) and the log
	RunDir        string   // directory of the socket NAME.sock; short, and not shared with another cluster
	StateDir      string   // where internal/procs keeps its record
	Path          string   // the executable; found on PATH when empty
	Addresses     []string // ip:port to listen on, all with one port; none: socket only
	AdminPassword string   // of the user "admin"
	Users         []User
	Scripts       []string // texts that users without EVAL may call by EVALSHA; loaded at each start and adoption
	Persist       Persist
	TLS           *TLS     // of Addresses and of the link to ReplicaOf; nil: none, for tests only
	ReplicaOf     *Master  // nil: a master
	MaxMemory     int64    // bytes, 0: no limit; nothing is evicted, writes fail
	Extra         []string // further lines of redis.conf, one directive each
	StopOrder     int      // as in procs.Spec
	DieWithParent bool     // for tests only
}

var (
	nameRule = regexp.MustCompile(`^[a-z][a-z0-9-]{0,38}$`)
	userRule = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	// What sets a password or switches a user has its own field.
	authRule = regexp.MustCompile(`^(on|off|nopass|resetpass|reset|[<>#!].*)$`)
)

func (c Config) socket() string { return filepath.Join(c.RunDir, c.Name+".sock") }

func (c Config) validate() error {
	if !nameRule.MatchString(c.Name) {
		return fmt.Errorf("redis %q: use lower case letters, digits and dashes in its name", c.Name)
	}
	errs := []error{validatePassword("admin", c.AdminPassword)}
	for _, dir := range c.paths() {
		if !filepath.IsAbs(dir) || strings.ContainsFunc(dir, unicode.IsControl) {
			errs = append(errs, fmt.Errorf("%q is not an absolute path", dir))
		}
	}
	if n := len(c.socket()); n > maxSocketPath {
		errs = append(errs, fmt.Errorf("socket %s has %d bytes, %d fit: choose a shorter run directory", c.socket(), n, maxSocketPath))
	}
	if c.MaxMemory < 0 {
		errs = append(errs, fmt.Errorf("memory limit %d is negative", c.MaxMemory))
	}
	_, _, err := c.listeners()
	errs = append(errs, err, c.validateUsers(), c.validateMaster(), c.validateExtra())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("redis %s: %w", c.Name, err)
	}
	return nil
}

func (c Config) paths() []string {
	paths := []string{c.DataDir, c.RunDir, c.StateDir}
	if c.TLS != nil {
		paths = append(paths, c.TLS.Cert, c.TLS.Key, c.TLS.CA)
	}
	return paths
}

func (c Config) validateUsers() error {
	seen := map[string]bool{"default": true, adminUser: true}
	for _, u := range c.Users {
		if !userRule.MatchString(u.Name) || seen[u.Name] {
			return fmt.Errorf("user %q: the name is taken, or not made of lower case letters, digits and dashes", u.Name)
		}
		seen[u.Name] = true
		if err := validatePassword(u.Name, u.Password); err != nil {
			return err
		}
		for _, rule := range strings.Fields(u.Rules) {
			if authRule.MatchString(strings.ToLower(rule)) || strings.ContainsFunc(rule, unicode.IsControl) {
				return fmt.Errorf("user %s: rule %q is not about keys, channels or commands", u.Name, rule)
			}
		}
	}
	return nil
}

func (c Config) validateMaster() error {
	if c.ReplicaOf == nil {
		return nil
	}
	if _, err := netip.ParseAddrPort(c.ReplicaOf.Addr); err != nil {
		return fmt.Errorf("master address: %w", err)
	}
	if !userRule.MatchString(c.ReplicaOf.User) {
		return fmt.Errorf("master user %q: use lower case letters, digits and dashes", c.ReplicaOf.User)
	}
	return validatePassword(c.ReplicaOf.User, c.ReplicaOf.Password)
}

func (c Config) validateExtra() error {
	for _, line := range c.Extra {
		if strings.TrimSpace(line) == "" || strings.ContainsFunc(line, unicode.IsControl) {
			return fmt.Errorf("extra line %q is not one directive on one line", line)
		}
	}
	return nil
}

func validatePassword(user, password string) error {
	if password == "" || strings.ContainsFunc(password, unicode.IsControl) {
		return fmt.Errorf("user %s needs a password without control characters", user)
	}
	return nil
}

// listeners returns the one TCP port, 0 for none, and the addresses to bind.
func (c Config) listeners() (port uint16, ips []netip.Addr, err error) {
	for _, a := range c.Addresses {
		ap, err := netip.ParseAddrPort(a)
		if err != nil {
			return 0, nil, fmt.Errorf("address %q: %w", a, err)
		}
		if port != 0 && ap.Port() != port {
			return 0, nil, fmt.Errorf("address %q: all addresses of a server have one port, here %d", a, port)
		}
		if ap.Addr().Zone() != "" {
			return 0, nil, fmt.Errorf("address %q: zones are not supported", a)
		}
		port = ap.Port()
		if port != 0 {
			ips = append(ips, ap.Addr())
		}
	}
	return port, ips, nil
}
