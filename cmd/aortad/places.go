package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"

	"aorta/internal/atomicfile"
	"aorta/internal/redisd"
)

// places records the listeners that were not given, so that each start uses
// the addresses of the first.
type places struct {
	path  string
	Addrs map[string]string `json:"addresses"`
}

func loadPlaces(path string) (places, error) {
	p := places{path: path, Addrs: map[string]string{}}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	if err != nil {
		return p, fmt.Errorf("read the recorded addresses: %w", err)
	}
	return p, nil
}

// at gives the address of a listener: the given one, else the recorded one,
// else a free port on ip, which is recorded.
func (p places) at(name, given, ip string) (string, error) {
	if given != "" && !isPortZero(given) {
		return given, nil
	}
	if addr, ok := p.Addrs[name]; ok && given == "" {
		return addr, nil
	}
	if host, _, err := net.SplitHostPort(given); err == nil && host != "" {
		ip = host
	}
	addr, err := p.free(ip)
	if err != nil {
		return "", fmt.Errorf("find a port for %s: %w", name, err)
	}
	p.Addrs[name] = addr
	raw, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return "", fmt.Errorf("record the address of %s: %w", name, err)
	}
	return p.Addrs[name], atomicfile.Write(p.path, raw, 0o600)
}

// free finds an address that is not recorded: who has it may not listen yet.
func (p places) free(ip string) (string, error) {
	for {
		port, err := redisd.FreePort(ip)
		if err != nil {
			return "", err
		}
		addr := net.JoinHostPort(ip, strconv.Itoa(port))
		if !slices.Contains(slices.Collect(maps.Values(p.Addrs)), addr) {
			return addr, nil
		}
	}
}

func isPortZero(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	return err == nil && port == "0"
}
