package cluster

import (
	"strings"
	"time"
)

// The bounds of a join token.
const (
	// DefaultJoinLife is how long a token can be used where nothing is said.
	DefaultJoinLife = time.Hour
	// MaxJoinLife is how long it can be used at most.
	MaxJoinLife = 30 * 24 * time.Hour
	// MaxJoinUses is how many nodes may join by one.
	MaxJoinUses = 1000
)

// JoinToken lets nodes join. What it binds, they have; what it leaves open, they say.
type JoinToken struct {
	ID        ID
	Name      string            // of the node; empty: the node says
	Roles     []Role            // none: the node says
	Tags      map[string]string // of the nodes
	Uses      int               // how many nodes may join by it
	Used      int               // how many have
	CreatedBy string
	CreatedAt time.Time
	ExpiresAt time.Time
	RevokedAt *time.Time
}

// Validate checks what a person asks for.
func (t JoinToken) Validate(now time.Time) error {
	if t.Name != "" {
		if err := ValidateNodeName("name", t.Name); err != nil {
			return err
		}
		if t.Uses > 1 {
			return Invalid("uses", "%d nodes can't all be called %q: leave the name to them", t.Uses, t.Name)
		}
	}
	for _, r := range t.Roles {
		if err := ValidateJoiningRole("roles", r); err != nil {
			return err
		}
	}
	if t.Uses < 1 || t.Uses > MaxJoinUses {
		return Invalid("uses", "must be 1 to %d", MaxJoinUses)
	}
	if life := t.ExpiresAt.Sub(now); life < time.Second || life > MaxJoinLife {
		return Invalid("expires", "must be 1s to 30d")
	}
	return ValidateTags("tags", t.Tags)
}

// ValidateJoiningRole refuses the one role that no token gives: a pacemaker owns the
// state of the cluster.
func ValidateJoiningRole(field string, r Role) error {
	if r == RolePacemaker {
		return Invalid(field, "a node that joins can't be a pacemaker (heart, router, builder)")
	}
	return nil
}

// joinPrefix begins each join token, so that one is known when it is seen.
const joinPrefix = "join_"

// NewJoinToken makes a token's text of a secret, which is 26 letters and digits or
// more. It holds the fingerprint of the cluster's authority, so that a node knows whom
// it gives the token to.
func NewJoinToken(secret, fingerprint string) string { return joinPrefix + secret + "_" + fingerprint }

// JoinFingerprint is the authority's fingerprint in a token's text.
func JoinFingerprint(token string) (string, error) {
	secret, fingerprint, ok := strings.Cut(strings.TrimPrefix(token, joinPrefix), "_")
	if !ok || !strings.HasPrefix(token, joinPrefix) || len(secret) < 26 || len(fingerprint) != 64 || strings.Trim(fingerprint, "0123456789abcdef") != "" {
		return "", Invalid("token", "is no join token, or not all of one (make one with: aorta nodes token)")
	}
	return fingerprint, nil
}

// Join is what a node asks for that joins.
type Join struct {
	Token    string
	Name     string
	Roles    []Role // none: those of the token
	Address  string // private address of its instances; empty: it does not know it yet
	Hostname string
	Version  string
	Request  string // for a certificate, in PEM
	Replace  bool   // take the name of a node that is silent
}

// Joined is a node's new identity.
type Joined struct {
	Cluster     ID
	NodeID      ID
	NodeName    string
	Roles       []Role
	Certificate string   // PEM
	Authority   string   // PEM
	Pacemakers  []string // addresses of the nodes' API
}
