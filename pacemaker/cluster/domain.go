package cluster

import (
	"strings"
	"time"
)

// Domain is a hostname that an app owns. A hostname has one owner.
type Domain struct {
	// Own marks the host that an app has by its name in the cluster domain.
	Own bool
	// Former marks one that it had so before the cluster got another domain.
	Former bool
	// OfSource marks one that aorta.yml asked for and nobody added by hand.
	OfSource  bool
	Host      string
	AppID     ID
	CreatedAt time.Time
}

// Space is the domain of the cluster, that of now or of before, in which an app has
// the host by its name; empty for a host that it was given.
func (d Domain) Space() string {
	if !d.Own && !d.Former {
		return ""
	}
	_, space, _ := strings.Cut(d.Host, ".")
	return space
}

// Within says whether a host, or a wildcard's names, are a domain's or below it.
func Within(host, domain string) bool {
	return host == domain || strings.HasSuffix(host, "."+domain)
}

// Held are the wildcards that answer for nobody: each would for all names that a
// domain of the cluster leaves free.
func Held(domains []Domain) map[string]bool {
	held := map[string]bool{}
	for _, d := range domains {
		if space := d.Space(); space != "" {
			held["*."+space] = true
		}
	}
	return held
}
