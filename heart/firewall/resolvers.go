package firewall

import (
	"encoding/json"
	"net/netip"
	"os"
	"strings"
)

// resolverFiles are where the engine takes the name servers from that it tells
// containers of: those of this machine, and behind the resolver of systemd.
var resolverFiles = []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}

// engineFile may name others.
const engineFile = "/etc/docker/daemon.json"

// Resolvers are the name servers that containers may be told of. On some clouds that is
// the very address at which machines ask who they are.
func Resolvers() []netip.Addr {
	var found []netip.Addr
	for _, file := range resolverFiles {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // not every machine has both
		}
		found = append(found, resolversOf(string(raw))...)
	}
	raw, err := os.ReadFile(engineFile)
	var settings struct{ DNS []netip.Addr }
	if err == nil && json.Unmarshal(raw, &settings) == nil {
		found = append(found, settings.DNS...)
	}
	return found
}

// resolversOf reads a resolv.conf. Those on loopback are asked by the engine itself.
func resolversOf(text string) []netip.Addr {
	var found []netip.Addr
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "nameserver" {
			continue
		}
		if addr, err := netip.ParseAddr(words[1]); err == nil && !addr.IsLoopback() && addr.Zone() == "" {
			found = append(found, addr)
		}
	}
	return found
}
