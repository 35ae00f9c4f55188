package store

import (
	"context"
	"strings"

	"gorm.io/gorm"
)

// Claims lists what apps were given and would lose if a domain became the cluster's:
// the own hosts of other apps, and the wildcard over all names there. It reads the
// database of a directory beside the pacemaker that may run on it, and takes no lock.
func Claims(ctx context.Context, cfg Config, domain string) (claims []AppHost, err error) {
	db, err := connect(dialectOf(cfg), dialectOf(cfg).Reader(), 1)
	if err != nil {
		return nil, err
	}
	defer func() { _ = closeDB(db) }()
	err = db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var hosts []AppHost
		var names []string
		if err := given(tx).Scan(&hosts).Error; err != nil {
			return err
		}
		if err := tx.Table("apps").Pluck("name", &names).Error; err != nil {
			return err
		}
		claims = claimsOf(hosts, names, domain)
		return nil
	}, snapshot)
	return claims, translate(err, "read the apps' hosts")
}

func claimsOf(hosts []AppHost, names []string, domain string) (claims []AppHost) {
	owners := map[string]string{"*." + domain: ""} // of the wildcard: nobody
	for _, name := range names {
		owners[name+"."+domain] = name
	}
	for _, h := range hosts {
		if owner, own := owners[h.Host]; own && owner != h.App {
			claims = append(claims, h)
		}
	}
	return claims
}

// Lost says what became, or becomes, of a host that an app was given.
func (h AppHost) Lost() string {
	if strings.HasPrefix(h.Host, "*.") {
		return "app " + h.App + " is served at " + h.Host + " no more"
	}
	name, _, _ := strings.Cut(h.Host, ".")
	return h.Host + " is no more app " + h.App + "'s, but that of app " + name
}
