package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"aorta/internal/atomicfile"
	"aorta/internal/listeners"
	"aorta/internal/redisd"
	"aorta/pacemaker/cluster"
)

// addresses are where this node's listeners are. One that is given is believed
// at every start; one that is not is chosen at the first and recorded, so that
// each start uses the same.
type addresses struct {
	path string
	log  *slog.Logger
	// owns says whether a process is the managed daemon of that name, or its child.
	owns func(daemon string, pid int) bool

	Chosen map[string]string `json:"addresses"`      // by listener: those that were not given
	Last   map[string]string `json:"last,omitempty"` // by listener or option: all of the last start
}

// lastDomain is the cluster's domain at the last start on a data directory; empty
// where there was none that can be read.
func lastDomain(dataDir string) string {
	a, err := loadAddresses(filepath.Join(dataDir, placesFile), nil, nil)
	if err != nil {
		return ""
	}
	return a.Last[domainPlace]
}

// Names of the record.
const (
	placesFile  = "places.json"
	domainPlace = "domain"
)

// listener is one address to find.
type listener struct {
	name   string // in the record
	option string // of the configuration, for people
	given  string // IP:PORT or :PORT, port 0 for any; empty for none
	ip     string // where none is given
	daemon string // the managed daemon that may have it already; empty for none
}

func (l listener) unusable(format string, args ...any) error {
	return cluster.Unavailable("%s %s", l.option, fmt.Sprintf(format, args...))
}

func loadAddresses(path string, log *slog.Logger, owns func(daemon string, pid int) bool) (*addresses, error) {
	a := &addresses{path: path, log: log, owns: owns}
	raw, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(raw, a)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the recorded addresses: %w", err)
	}
	if a.Chosen == nil {
		a.Chosen = map[string]string{}
	}
	if a.Last == nil {
		a.Last = map[string]string{}
	}
	return a, nil
}

// resolve gives the address of a listener, which can be listened on now or is
// listened on by its own daemon. One that can't be used now is unavailable: what has
// it may end, and the interface that it belongs to may come.
func (a *addresses) resolve(l listener) (string, error) {
	addr, err := a.find(l)
	if err != nil {
		return "", err
	}
	return addr, a.note(l.name, l.option, addr)
}

func (a *addresses) find(l listener) (string, error) {
	host, port, err := net.SplitHostPort(l.given)
	if err == nil && port != "0" {
		return l.given, a.checkGiven(l)
	}
	if err != nil || host == "" {
		host = l.ip
	}
	if err := a.check(l, net.JoinHostPort(host, "0")); err != nil {
		return "", l.unusable("%v: name an address of this machine (--%s)", err, flagOf(l.option))
	}
	if recorded, ok := a.Chosen[l.name]; ok {
		_, port, _ := net.SplitHostPort(recorded)
		addr := net.JoinHostPort(host, port) // the port stays where only the IP was given
		err := a.check(l, addr)
		if err == nil {
			a.Chosen[l.name] = addr
			return addr, nil
		}
		a.log.Warn("the recorded port can't be used any more; choosing another one", "listener", l.name, "err", err)
	}
	return a.choose(l, host)
}

func (a *addresses) checkGiven(l listener) error {
	if err := a.check(l, l.given); err != nil {
		return l.unusable("%v: name another address (--%s), or end what has it", err, flagOf(l.option))
	}
	return nil
}

// checkListeners says of all addresses that are given which can't be used, before
// anything is started.
func (d *daemon) checkListeners() error {
	var wrong []string
	for _, l := range []struct {
		listener
		role cluster.Role
	}{
		{listener{option: "listen", given: d.cfg.Listen}, ""},
		{listener{option: "node_listen", given: d.cfg.NodeListen}, cluster.RolePacemaker},
		{listener{option: "router_listen", given: d.cfg.RouterListen, daemon: nginxDaemon}, cluster.RoleRouter},
		{listener{option: "router_status_listen", given: d.cfg.RouterStatusListen, daemon: nginxDaemon}, cluster.RoleRouter},
	} {
		_, port, err := net.SplitHostPort(l.given)
		if err != nil || port == "0" || l.role != "" && !d.cfg.Has(l.role) {
			continue // none is given, or nobody listens there
		}
		if err := d.addrs.checkGiven(l.listener); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return cluster.Unavailable("%s", strings.Join(wrong, "\n"))
}

// choose finds a free port that is not recorded: who has that may not listen yet.
func (a *addresses) choose(l listener, host string) (string, error) {
	for {
		port, err := redisd.FreePort(host)
		if err != nil {
			return "", l.unusable("%v: name another address (--%s)", err, flagOf(l.option))
		}
		addr := net.JoinHostPort(host, strconv.Itoa(port))
		if !slices.Contains(slices.Collect(maps.Values(a.Chosen)), addr) {
			a.Chosen[l.name] = addr
			return addr, nil
		}
	}
}

func (a *addresses) check(l listener, addr string) error {
	return listeners.Check(addr, func(pid int) bool { return l.daemon != "" && a.owns(l.daemon, pid) })
}

// note records a value of an option, and logs when the last start had another one.
func (a *addresses) note(name, option, value string) error {
	if was, ok := a.Last[name]; ok && was != value {
		a.log.Info("the configuration has changed since the last start", "option", option, "was", was, "now", value, "for", name)
	}
	a.Last[name] = value
	raw, err := json.MarshalIndent(a, "", "  ")
	if err == nil {
		err = atomicfile.Write(a.path, raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("record the address of %s: %w", name, err)
	}
	return nil
}

func flagOf(option string) string { return strings.ReplaceAll(option, "_", "-") }
