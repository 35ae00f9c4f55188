package router

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

var (
	uuidRule    = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	nameRule    = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`)
	nodeRule    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`) // made from a host's name
	releaseRule = regexp.MustCompile(`^v[0-9]{1,9}$`)
)

// ParseRecord reads one record's JSON and refuses what is not well formed:
// wrong types, sizes beyond the limits, ids and names that could not be ours.
// Addresses are checked for their form alone; Validate also knows which
// networks they may lie in.
func ParseRecord(text []byte) (Record, error) {
	if len(text) > MaxRecordBytes {
		return Record{}, fmt.Errorf("record has %d bytes, more than %d", len(text), MaxRecordBytes)
	}
	var r Record
	if err := json.Unmarshal(text, &r); err != nil {
		return Record{}, fmt.Errorf("parse record: %w", err)
	}
	if err := r.Validate(nil); err != nil {
		return Record{}, err
	}
	return r, nil
}

// Validate reports the first thing that is wrong with the record, by its JSON
// path. Instance addresses must lie in one of the allowed networks, unless
// allowed is nil.
func (r Record) Validate(allowed []netip.Prefix) error {
	if !ValidName(r.Host) {
		return fmt.Errorf("host %q is neither a lower-case host name nor a wildcard *.name", r.Host)
	}
	if r.Epoch > MaxNumber || r.Generation > MaxNumber {
		return fmt.Errorf("host %s: epoch or generation is above %d", r.Host, MaxNumber)
	}
	if !uuidRule.MatchString(r.App) {
		return fmt.Errorf("host %s: app %q is not a lower-case UUID", r.Host, r.App)
	}
	if !validLabel(r.AppName) {
		return fmt.Errorf("host %s: app_name %q is not a name", r.Host, r.AppName)
	}
	if err := r.validateLimits(); err != nil {
		return fmt.Errorf("host %s: %w", r.Host, err)
	}
	if len(r.Groups) > MaxGroups {
		return fmt.Errorf("host %s: %d groups, more than %d", r.Host, len(r.Groups), MaxGroups)
	}
	seen := make(map[string]bool)
	for i, g := range r.Groups {
		if err := g.validate(allowed, seen); err != nil {
			return fmt.Errorf("host %s: groups[%d]%w", r.Host, i, err)
		}
	}
	if len(seen) > MaxInstances {
		return fmt.Errorf("host %s: %d instances, more than %d", r.Host, len(seen), MaxInstances)
	}
	return nil
}

func (r Record) validateLimits() error {
	for name, seconds := range map[string]int{"timeout": r.Timeout, "idle_timeout": r.IdleTimeout} {
		if seconds < 0 || seconds > MaxSeconds {
			return fmt.Errorf("%s: %d is not in 0..%d seconds", name, seconds, MaxSeconds)
		}
	}
	if r.MaxBody < 0 || r.MaxBody > MaxBodyLimit {
		return fmt.Errorf("max_body: %d is not in 0..%d bytes", r.MaxBody, int64(MaxBodyLimit))
	}
	return nil
}

func (g Group) validate(allowed []netip.Prefix, seen map[string]bool) error {
	if !uuidRule.MatchString(g.Release) {
		return fmt.Errorf(".release: %q is not a lower-case UUID", g.Release)
	}
	if !releaseRule.MatchString(g.ReleaseName) {
		return fmt.Errorf(".release_name: %q is not of the form v12", g.ReleaseName)
	}
	if g.Weight < 0 || g.Weight > MaxWeight {
		return fmt.Errorf(".weight: %d is not in 0..%d", g.Weight, MaxWeight)
	}
	for i, in := range g.Instances {
		if err := in.validate(allowed); err != nil {
			return fmt.Errorf(".instances[%d]%w", i, err)
		}
		if seen[in.ID] {
			return fmt.Errorf(".instances[%d].id: %s is listed twice", i, in.ID)
		}
		seen[in.ID] = true
	}
	return nil
}

func (in Instance) validate(allowed []netip.Prefix) error {
	if !uuidRule.MatchString(in.ID) {
		return fmt.Errorf(".id: %q is not a lower-case UUID", in.ID)
	}
	if !validLabel(in.Type) {
		return fmt.Errorf(".type: %q is not a process type's name", in.Type)
	}
	if !uuidRule.MatchString(in.Node) {
		return fmt.Errorf(".node: %q is not a lower-case UUID", in.Node)
	}
	if !nodeRule.MatchString(in.NodeName) {
		return fmt.Errorf(".node_name: %q is not a node's name", in.NodeName)
	}
	addr, err := netip.ParseAddrPort(in.Addr)
	if err != nil || addr.Port() == 0 || addr.Addr().Zone() != "" {
		return fmt.Errorf(".addr: %q is not an ip:port", in.Addr)
	}
	if allowed != nil && !contains(allowed, addr.Addr()) {
		return fmt.Errorf(".addr: %s is in none of the allowed networks", in.Addr)
	}
	return nil
}

func validLabel(s string) bool {
	return nameRule.MatchString(s) && !strings.Contains(s, "--")
}

func contains(networks []netip.Prefix, addr netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}
