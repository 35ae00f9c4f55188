package config

import (
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
)

// NodesPort is where the nodes' API listens on a node address, if nothing is said.
const NodesPort = "7421"

// maxDomain leaves room for an app's name and a dot in a host of 253 bytes.
const maxDomain = 253 - 41

// finish fills in what follows from the rest and checks everything.
func (c *Config) finish(all *mistakes, joining bool) {
	all.add(c.findDirectories())
	c.fillAddresses()
	if c.NodeName == "" {
		host, _ := os.Hostname()
		c.NodeName = cluster.NodeNameFrom(host)
	}
	if !joining || len(c.Roles) > 0 {
		c.checkRoles(all)
	}
	for _, check := range []func(*mistakes){c.checkNames, c.checkAddresses, c.checkListeners, c.checkRedis, c.checkRegistry, c.checkTimes, c.checkRest, c.checkFiles} {
		check(all)
	}
}

// fillAddresses chooses those that follow from others.
func (c *Config) fillAddresses() {
	if c.Listen == "" && c.Has(cluster.RolePacemaker) {
		c.Listen = DefaultListen
	}
	address := c.NodeAddress
	if cluster.ValidateNodeAddress("node_address", address) != nil {
		address = "" // which is said by itself, if one is given
	}
	if c.RedisAddress == "" {
		c.RedisAddress = cmp.Or(address, "127.0.0.1")
	}
	if c.NodeListen == "" && address != "" && c.Has(cluster.RolePacemaker) {
		c.NodeListen = net.JoinHostPort(address, NodesPort)
	}
}

func (c *Config) findDirectories() error {
	if c.DataDir == "" {
		return cluster.Invalid("data_dir", "is not given (--data-dir DIR, or data_dir in the file)")
	}
	dir, err := filepath.Abs(c.DataDir)
	if err != nil {
		return cluster.Invalid("data_dir", "%q: %v", c.DataDir, err)
	}
	c.DataDir = dir
	if c.RunDir == "" {
		c.RunDir = DefaultRunDir(dir)
	}
	return nil
}

// DefaultRunDir is where the sockets of a data directory lie: short, and
// different for each data directory.
func DefaultRunDir(dataDir string) string {
	sum := sha256.Sum256([]byte(dataDir))
	return "/run/aorta/" + hex.EncodeToString(sum[:4])
}

// Has says whether the node plays the role.
func (c *Config) Has(r cluster.Role) bool { return slices.Contains(c.Roles, string(r)) }

func (c *Config) checkRoles(all *mistakes) {
	if _, err := cluster.ParseRoles("roles", c.Roles); err != nil {
		all.add(err)
		return // what follows would be of roles that nobody has
	}
	if c.Has(cluster.RolePacemaker) && len(c.Pacemakers) > 0 {
		all.add(cluster.Invalid("pacemakers", "is for a process without the pacemaker role"))
	}
}

func (c *Config) checkNames(all *mistakes) {
	all.add(cluster.ValidateNodeName("node_name", c.NodeName))
	all.add(cluster.ValidateHost("domain", c.Domain))
	if strings.HasPrefix(c.Domain, "*.") {
		all.add(cluster.Invalid("domain", "%q can't be a wildcard", c.Domain))
	}
	if len(c.Domain) > maxDomain {
		all.add(cluster.Invalid("domain", "is %d bytes long; the limit is %d, so that every app's host fits", len(c.Domain), maxDomain))
	}
	if c.RunDir != "" && (len(c.RunDir) > 60 || !filepath.IsAbs(c.RunDir)) {
		all.add(cluster.Invalid("run_dir", "%q must be absolute and at most 60 bytes long: sockets lie in it", c.RunDir))
	}
}

func (c *Config) checkAddresses(all *mistakes) {
	_, err := c.TrustedProxies()
	all.add(err)
	_, err = c.Reachable()
	all.add(err)
	all.add(c.checkTags())
	if ip, err := netip.ParseAddr(c.RedisAddress); err != nil || ip.IsUnspecified() {
		all.add(cluster.Invalid("redis_address", "%q is not one IP address of this machine", c.RedisAddress))
	}
	if c.NodeAddress != "" {
		all.add(cluster.ValidateNodeAddress("node_address", c.NodeAddress))
	}
	if u, err := url.Parse(c.PublicURL); c.PublicURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		all.add(cluster.Invalid("public_url", "%q is not an http or https address", c.PublicURL))
	}
	for _, text := range c.Pacemakers {
		all.add(CheckPacemaker("pacemakers", text))
	}
	all.add(checkEngine(c.DockerHost))
}

// CheckPacemaker checks the address of a nodes' API.
func CheckPacemaker(field, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return cluster.Invalid(field, "%q is not the address of a nodes' API (such as https://10.0.0.1:%s)", cluster.Clip(text), NodesPort)
	}
	return nil
}

// checkEngine checks the form of an engine's address; the engine itself says the rest.
func checkEngine(host string) error {
	scheme, rest, ok := strings.Cut(host, "://")
	switch {
	case host == "" || ok && scheme != "" && rest != "":
		return nil
	case strings.HasPrefix(host, "/"):
		return cluster.Invalid("docker_host", "%q has no scheme: unix://%s", host, host)
	}
	return cluster.Invalid("docker_host", "%q has no scheme: unix:///var/run/docker.sock, or tcp://%s", host, strings.TrimPrefix(host, "//"))
}

// TrustedProxies are the networks of RouterTrustedProxies; an address alone is
// a network of one.
func (c *Config) TrustedProxies() ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, s := range c.RouterTrustedProxies {
		network, err := netip.ParsePrefix(s)
		if addr, alone := netip.ParseAddr(s); alone == nil && addr.Zone() == "" {
			network, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, cluster.Invalid("router_trusted_proxies", "%q is neither a network (10.0.0.0/8) nor an address", s)
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}

// Reachable are the addresses of ContainersMayReach; 0.0.0.0 and :: stand for any
// address of this machine.
func (c *Config) Reachable() ([]netip.AddrPort, error) {
	var open []netip.AddrPort
	for _, s := range c.ContainersMayReach {
		hosts := []string{s}
		if strings.HasPrefix(s, ":") {
			hosts = []string{"0.0.0.0" + s, "[::]" + s}
		}
		for _, host := range hosts {
			at, err := netip.ParseAddrPort(host)
			if err != nil || at.Port() == 0 || at.Addr().Zone() != "" || at.Addr().IsLoopback() {
				return nil, cluster.Invalid("containers_may_reach", "%q is not IP:PORT, or :PORT for any address of this machine (loopback, where containers find themselves alone, is none)", s)
			}
			open = append(open, netip.AddrPortFrom(at.Addr().Unmap(), at.Port()))
		}
	}
	return open, nil
}

func (c *Config) checkRedis(all *mistakes) {
	if c.JobsRedisURL == "" {
		if c.JobsRedisCA != "" {
			all.add(cluster.Invalid("jobs_redis_ca", "is for a Redis of your own (jobs_redis_url)"))
		}
		return
	}
	if !c.Has(cluster.RolePacemaker) {
		all.add(cluster.Invalid("jobs_redis_url", "is for the process with the pacemaker role, which tells the others"))
	}
	u, err := ParseRedisURL("jobs_redis_url", string(c.JobsRedisURL))
	all.add(err)
	if err == nil && c.JobsRedisCA != "" && !u.TLS {
		all.add(cluster.Invalid("jobs_redis_ca", "is for TLS: jobs_redis_url must begin with rediss://"))
	}
}

func (c *Config) checkTimes(all *mistakes) {
	for _, t := range []struct {
		field     string
		have      time.Duration
		low, high time.Duration
	}{
		{"dead_after", c.DeadAfter, 6 * time.Second, 24 * time.Hour},
		{"report_every", c.ReportEvery, 100 * time.Millisecond, time.Minute},
		{"drain_limit", c.DrainLimit, 0, time.Hour},
		{"build_timeout", c.BuildTimeout, time.Second, 24 * time.Hour},
	} {
		if t.have < t.low || t.have > t.high {
			all.add(cluster.Invalid(t.field, "%s is outside %s … %s", duration.Text(t.have), duration.Text(t.low), duration.Text(t.high)))
		}
	}
	if c.ReportEvery*3 > c.DeadAfter && !all.has("dead_after", "report_every") {
		all.add(cluster.Invalid("report_every", "%s leaves less than three reports in dead_after (%s)", duration.Text(c.ReportEvery), duration.Text(c.DeadAfter)))
	}
}

func (c *Config) checkRest(all *mistakes) {
	for _, n := range []struct {
		field           string
		have, low, high int
	}{
		{"images_max_gb", c.ImagesMaxGB, 0, 1_000_000},
		{"keep_releases", c.KeepReleases, 1, 1000},
		{"build_cache_max_gb", c.BuildCacheMaxGB, 0, 1_000_000},
		{"router_workers", c.RouterWorkers, 0, 1024},
		// One file is written to; with no other, its rotation would lose what is unread.
		{"output_files", c.OutputFiles, 2, 100},
		{"output_file_bytes", c.OutputFileBytes, 64 << 10, 1 << 30},
	} {
		if n.have < n.low || n.have > n.high {
			all.add(cluster.Invalid(n.field, "%d is outside %d … %d", n.have, n.low, n.high))
		}
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel) {
		all.add(cluster.Invalid("log_level", "%q is not debug, info, warn or error", c.LogLevel))
	}
	if !slices.Contains([]string{"text", "json"}, c.LogFormat) {
		all.add(cluster.Invalid("log_format", "%q is not text or json", c.LogFormat))
	}
}

// checkFiles reads the files that a start needs: without them it would fail, again
// and again.
func (c *Config) checkFiles(all *mistakes) {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		all.add(cluster.Invalid("tls_cert", "certificate and key go together (tls_cert, tls_key)"))
	}
	for _, f := range []struct{ field, path string }{
		{"tls_cert", c.TLSCert}, {"tls_key", c.TLSKey}, {"jobs_redis_ca", c.JobsRedisCA}, {"registry_login", c.RegistryLogin}, {"registry_ca", c.RegistryCA},
	} {
		if f.path == "" {
			continue
		}
		if _, err := os.ReadFile(f.path); err != nil {
			all.add(cluster.Invalid(f.field, "can't be read: %v", err))
		}
	}
	if c.TLSCert == "" || all.has("tls_cert", "tls_key") {
		return
	}
	if _, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey); err != nil {
		all.add(cluster.Invalid("tls_cert", "%s and %s are no certificate with its key: %s", c.TLSCert, c.TLSKey, strings.TrimPrefix(err.Error(), "tls: ")))
	}
}

// Describe prints the configuration as its file would say it.
func (c Config) Describe() string {
	return fmt.Sprintf("data_dir %s, run_dir %s, roles %s, node %s", c.DataDir, c.RunDir, strings.Join(c.Roles, ","), c.NodeName)
}
