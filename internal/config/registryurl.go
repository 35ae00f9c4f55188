package config

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"aorta/pacemaker/cluster"
)

var repositoryPattern = regexp.MustCompile(`^[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)

// ParseRegistryURL reads
//
//	https://HOST[:PORT][/REPOSITORY]
//
// where the images of the cluster lie below the repository. Without TLS a registry may
// be on this machine alone: a log-in is sent to it.
func ParseRegistryURL(field, s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, cluster.Invalid(field, "is not https://HOST[:PORT][/REPOSITORY]")
	case u.User != nil:
		return nil, cluster.Invalid(field, "takes no log-in: put USER:PASSWORD into a file and name that (registry_login)")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, cluster.Invalid(field, "takes no options behind ? or #")
	case u.Scheme == "http" && !onThisMachine(u.Hostname()):
		return nil, cluster.Invalid(field, "must begin with https://: everybody on the way could read the log-in and change the images")
	}
	if path := strings.Trim(u.Path, "/"); path != "" && !repositoryPattern.MatchString(path) {
		return nil, cluster.Invalid(field, "%q is no name of a repository (lower case letters and digits, with . _ - / between)", path)
	}
	return u, nil
}

func onThisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (c *Config) checkRegistry(all *mistakes) {
	if c.RegistryURL == "" {
		for field, have := range map[string]string{"registry_login": c.RegistryLogin, "registry_ca": c.RegistryCA} {
			if have != "" {
				all.add(cluster.Invalid(field, "is for a registry of your own (registry_url)"))
			}
		}
		return
	}
	if !c.Has(cluster.RolePacemaker) {
		all.add(cluster.Invalid("registry_url", "is for the process with the pacemaker role: nodes take images through it"))
	}
	_, err := ParseRegistryURL("registry_url", c.RegistryURL)
	all.add(err)
}
