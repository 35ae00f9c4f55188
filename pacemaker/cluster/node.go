package cluster

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Role is a part that a node plays.
type Role string

// The roles of a node.
const (
	RolePacemaker Role = "pacemaker"
	RoleHeart     Role = "heart"
	RoleRouter    Role = "router"
	RoleBuilder   Role = "builder"
)

// ParseRoles reads role names and refuses unknown ones and repeats.
func ParseRoles(field string, names []string) ([]Role, error) {
	var roles []Role
	for _, n := range names {
		r := Role(n)
		switch r {
		case RolePacemaker, RoleHeart, RoleRouter, RoleBuilder:
		default:
			return nil, Invalid(field, "%q is not a role (pacemaker, heart, router, builder)", Clip(n))
		}
		if contains(roles, r) {
			return nil, Invalid(field, "%s is named twice", r)
		}
		roles = append(roles, r)
	}
	if len(roles) == 0 {
		return nil, Invalid(field, "no role is named (pacemaker, heart, router, builder)")
	}
	return roles, nil
}

// RoleNames are roles as people type them.
func RoleNames(roles []Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ",")
}

// NodeState is a node's liveness. Draining is kept beside it, so that a node
// that falls silent and comes back forgets no drain.
type NodeState string

// The states of a node.
const (
	NodeReady   NodeState = "ready"
	NodeSuspect NodeState = "suspect"
	NodeDead    NodeState = "dead"
)

// Node is one machine as the cluster knows it.
type Node struct {
	ID      ID
	Name    string
	Roles   []Role
	Address string   // private address that its instances are published on
	Places  Places   // where its machine is reached, as it reported last
	Shown   []string // addresses that it has shown to be its machine's, see Claims
	State   NodeState
	// Losses are how often it was dead lately, see package liveness; LostAt is when
	// last, and ReturnedAt when it came back.
	Losses     int
	LostAt     time.Time
	ReturnedAt time.Time
	// DeclaredDead says that a person has said of a dead node that its machine is: what
	// ran there does not run any more. It ends with the node's return.
	DeclaredDead bool
	// SilentFor is the silence that a node counts as dead by; 0 for one that does not.
	SilentFor time.Duration
	Draining  bool
	Revision  int               // of its wanted set; rises with each assignment and each end of one
	Tags      map[string]string // reported by the node, under those that were set
	SetTags   map[string]string // set by people or by the token that it joined with: what placement may require
	KeyHash   string            // of its public key, see pki.KeyHash
	CreatedAt time.Time         // when it joined
	RemovedAt *time.Time        // when it was removed from the cluster
}

// Lost says that what ran there counts as gone, though nobody knows that it is.
func (n Node) Lost() bool { return n.State == NodeDead && n.RemovedAt == nil }

// NodeNames gives the names of nodes, by their ids.
func NodeNames(nodes []Node) map[ID]string {
	names := make(map[ID]string, len(nodes))
	for _, n := range nodes {
		names[n.ID] = n.Name
	}
	return names
}

// Has says whether the node plays the role.
func (n Node) Has(r Role) bool { return contains(n.Roles, r) }

// PrivateNetworks are where instances may be published and where routers send
// requests: an address outside of them would be open to everyone.
func PrivateNetworks() []string {
	return []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fd00::/8"}
}

// ValidateNodeAddress checks the address that a node's instances are published
// on. Loopback is none: there Docker's proxy accepts connections for apps that
// never listen.
func ValidateNodeAddress(field, address string) error {
	ip, err := netip.ParseAddr(address)
	if err == nil && private(ip) && !within(ip, CloudNetworks()) {
		return nil
	}
	return Invalid(field, "%q is not a private IP address (in one of %s)", Clip(address), strings.Join(PrivateNetworks(), ", "))
}

// private says whether instances may be published there.
func private(ip netip.Addr) bool {
	for _, network := range PrivateNetworks() {
		if ip.Zone() == "" && netip.MustParsePrefix(network).Contains(ip) {
			return true
		}
	}
	return false
}

// CloudNetworks are where the machines of clouds ask who they are, with the secrets of
// that, and all else that is given to machines by the link they are on.
func CloudNetworks() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("169.254.0.0/16"),
		netip.MustParsePrefix("100.100.100.200/32"), // Alibaba
		netip.MustParsePrefix("168.63.129.16/32"),   // Azure, beside 169.254.169.254
		netip.MustParsePrefix("fe80::/10"),
		netip.MustParsePrefix("fd00:ec2::254/128"),      // Amazon
		netip.MustParsePrefix("fd20:ce::254/128"),       // Google
		netip.MustParsePrefix("fd00:42::42/128"),        // Scaleway
		netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), // Oracle
	}
}

func within(ip netip.Addr, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(ip) })
}
