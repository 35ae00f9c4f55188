package build

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/distribution/reference"

	"aorta/pacemaker/cluster"
)

// guard refuses what would take a build past its own app: builds fetch on the
// network of their engine's machine, where what listens may trust whoever reaches
// it, and the engine has the images of all apps.
type guard struct {
	spec   cluster.BuildSpec
	fetch  []string      // hosts that the operator lets builds reach, wherever they are
	dir    string        // for what is fetched
	room   *atomic.Int64 // bytes that may still be fetched
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	own    func() ([]netip.Addr, error) // this machine's addresses
}

func newGuard(o order) guard {
	lookup := func(ctx context.Context, host string) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	}
	room := new(atomic.Int64)
	room.Store(maxFetched)
	return guard{spec: o.Spec, fetch: o.Settings.Fetch, dir: o.Dir, room: room, lookup: lookup, own: ownAddresses}
}

func ownAddresses() ([]netip.Addr, error) {
	list, err := net.InterfaceAddrs()
	var own []netip.Addr
	for _, a := range list {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			own = append(own, prefix.Addr().Unmap())
		}
	}
	return own, err
}

// URL judges what the engine would fetch by itself, of which none sees where it
// leads: it takes a host that the operator names.
func (g guard) URL(ctx context.Context, address string) error {
	if err := g.host(ctx, address); err != nil || g.allows(authorityOf(address)) {
		return err
	}
	return cluster.Invalid("", "%s would be fetched by the engine, wherever its server leads it: put it into the source, or ask the operator to let builds fetch from there (--build-fetch %s, or build_fetch in the file of the builder's daemon)", quote(address), hostOf(address))
}

// host refuses a host that is this machine, or an address that is given to machines
// by the link they are on, such as that of a cloud's metadata.
func (g guard) host(ctx context.Context, address string) error {
	if g.allows(authorityOf(address)) {
		return nil
	}
	host := hostOf(address)
	addr, err := netip.ParseAddr(host)
	switch {
	case err == nil:
		return g.address(address, addr)
	case host == "" || isNumber(host[strings.LastIndexByte(strings.TrimSuffix(host, "."), '.')+1:]):
		return cluster.Invalid("", "%s names no host that can be checked, and the engine fetches on this machine's network; write its name or its whole address", quote(address))
	}
	found, err := g.lookup(ctx, host)
	if err != nil {
		return nil // whoever fetches, and asks as well, says what is wrong with the name
	}
	for _, addr := range found {
		if err := g.address(address, addr); err != nil {
			return err
		}
	}
	return nil
}

func (g guard) address(address string, addr netip.Addr) error {
	addr = addr.WithZone("").Unmap()
	own, err := g.own()
	if err != nil {
		return err
	}
	if addr.IsLoopback() || addr.IsUnspecified() || addr.IsLinkLocalUnicast() || addr.IsLinkLocalMulticast() || slices.Contains(own, addr) {
		return cluster.Invalid("", "%s leads to %s, which is the builder's own machine or link: a build fetches nothing from there (put the file into the source, serve it on another machine, or have the operator allow that host: --build-fetch)", quote(address), addr)
	}
	return nil
}

// remote is git's short form of an address, such as git@example.com:shop.git.
var remote = regexp.MustCompile(`^(?:[^@/]*@)?([^:/]+):`)

func hostOf(address string) string {
	if strings.Contains(address, "://") {
		u, err := url.Parse(address)
		if err != nil {
			return ""
		}
		return u.Hostname()
	}
	if found := remote.FindStringSubmatch(address); found != nil {
		return found[1]
	}
	return ""
}

// authorityOf is the host with its port, if it has one.
func authorityOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return hostOf(address)
}

// isNumber tells whether some resolvers take a name that ends so for an address.
func isNumber(label string) bool {
	label = strings.TrimSuffix(label, ".")
	return label != "" && strings.Trim(label, "0123456789") == "" || strings.HasPrefix(strings.ToLower(label), "0x")
}

// Registry refuses an image whose name has the engine ask its own machine or link.
func (g guard) Registry(ctx context.Context, ref string) error {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil // the engine says what is wrong with the name
	}
	registry := reference.Domain(named)
	if registry == "docker.io" {
		return nil
	}
	err = g.host(ctx, "https://"+registry)
	if err == nil || cluster.CodeOf(err) != cluster.CodeInvalid {
		return err
	}
	return cluster.Invalid("", "image %s would be asked for at %s, which is the builder's own machine or link; name it by a registry elsewhere, or have the operator allow this one (--build-fetch %s, or build_fetch in the file of the builder's daemon)", quote(ref), registry, registry)
}

// Image refuses what was built from another app's source, by whichever cluster
// that has used the engine: it may hold what that app's people alone may see.
func (g guard) Image(ref string, labels map[string]string) error {
	app := labels[cluster.LabelAppID]
	if app == "" || app == string(g.spec.AppID) && labels[cluster.LabelCluster] == string(g.spec.Cluster) {
		return nil
	}
	return cluster.Invalid("", "image %s was built from the source of another app, whose images are its own; use one that was built outside of Aorta, or deploy that source to %s", quote(ref), g.spec.App)
}
