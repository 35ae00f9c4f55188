package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"aorta/pacemaker/cluster"
)

// maxDomain leaves room for an app's name and a dot in a host of 253 bytes.
const maxDomain = 253 - 41

// finish fills in what follows from the rest and checks everything.
func (c *Config) finish() error {
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
	if c.Listen == "" && c.Has(cluster.RolePacemaker) {
		c.Listen = DefaultListen
	}
	if c.NodeName == "" {
		host, _ := os.Hostname()
		c.NodeName = cluster.NodeNameFrom(host)
	}
	for _, check := range []func() error{c.checkRoles, c.checkNames, c.checkAddresses, c.checkRedis, c.checkTimes, c.checkRest} {
		if err := check(); err != nil {
			return err
		}
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

func (c *Config) checkRoles() error {
	if _, err := cluster.ParseRoles("roles", c.Roles); err != nil {
		return err
	}
	if !c.Has(cluster.RolePacemaker) && (c.Pacemaker == "" || c.NodeTokenFile == "") {
		return cluster.Invalid("pacemaker", "a node without the pacemaker role needs the address of the nodes' API (--pacemaker URL) and its token (--node-token-file FILE)")
	}
	if c.Has(cluster.RolePacemaker) && c.Pacemaker != "" {
		return cluster.Invalid("pacemaker", "is for a process without the pacemaker role")
	}
	return nil
}

func (c *Config) checkNames() error {
	if err := cluster.ValidateNodeName("node_name", c.NodeName); err != nil {
		return err
	}
	if err := cluster.ValidateHost("domain", c.Domain); err != nil {
		return err
	}
	if strings.HasPrefix(c.Domain, "*.") {
		return cluster.Invalid("domain", "%q can't be a wildcard", c.Domain)
	}
	if len(c.Domain) > maxDomain {
		return cluster.Invalid("domain", "is %d bytes long; the limit is %d, so that every app's host fits", len(c.Domain), maxDomain)
	}
	if len(c.RunDir) > 60 || !filepath.IsAbs(c.RunDir) {
		return cluster.Invalid("run_dir", "%q must be absolute and at most 60 bytes long: sockets lie in it", c.RunDir)
	}
	return nil
}

func (c *Config) checkAddresses() error {
	for field, addr := range map[string]string{
		"listen": c.Listen, "node_listen": c.NodeListen, "router_listen": c.RouterListen, "router_status_listen": c.RouterStatusListen,
	} {
		if err := checkListen(field, addr); err != nil {
			return err
		}
	}
	if _, err := c.TrustedProxies(); err != nil {
		return err
	}
	if ip, err := netip.ParseAddr(c.RedisAddress); err != nil || ip.IsUnspecified() {
		return cluster.Invalid("redis_address", "%q is not one IP address of this machine", c.RedisAddress)
	}
	if c.NodeAddress != "" {
		if err := cluster.ValidateNodeAddress("node_address", c.NodeAddress); err != nil {
			return err
		}
	}
	for field, s := range map[string]string{"pacemaker": c.Pacemaker, "public_url": c.PublicURL} {
		u, err := url.Parse(s)
		if s != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			return cluster.Invalid(field, "%q is not an http or https address", s)
		}
	}
	return nil
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

func (c *Config) checkRedis() error {
	if c.JobsRedisURL == "" {
		if c.JobsRedisCA != "" {
			return cluster.Invalid("jobs_redis_ca", "is for a Redis of your own (jobs_redis_url)")
		}
		return nil
	}
	if !c.Has(cluster.RolePacemaker) {
		return cluster.Invalid("jobs_redis_url", "is for the process with the pacemaker role, which tells the others")
	}
	u, err := ParseRedisURL("jobs_redis_url", string(c.JobsRedisURL))
	if err == nil && c.JobsRedisCA != "" && !u.TLS {
		return cluster.Invalid("jobs_redis_ca", "is for TLS: jobs_redis_url must begin with rediss://")
	}
	return err
}

func checkListen(field, addr string) error {
	if addr == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err == nil && host != "" {
		_, err = netip.ParseAddr(host)
	}
	n := 0
	if err == nil {
		n, err = strconv.Atoi(port)
	}
	if err != nil || n < 0 || n > 65535 {
		return cluster.Invalid(field, "%q is not IP:PORT or :PORT", addr)
	}
	return nil
}

func (c *Config) checkTimes() error {
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
			return cluster.Invalid(t.field, "%s is outside %s … %s", t.have, t.low, t.high)
		}
	}
	if c.ReportEvery*3 > c.DeadAfter {
		return cluster.Invalid("report_every", "%s leaves less than three reports in dead_after (%s)", c.ReportEvery, c.DeadAfter)
	}
	return nil
}

func (c *Config) checkRest() error {
	if c.ImagesMaxGB < 0 || c.ImagesMaxGB > 1_000_000 {
		return cluster.Invalid("images_max_gb", "%d is outside 0 … 1000000", c.ImagesMaxGB)
	}
	if c.KeepReleases < 1 || c.KeepReleases > 1000 {
		return cluster.Invalid("keep_releases", "%d is outside 1 … 1000", c.KeepReleases)
	}
	if c.BuildCacheMaxGB < 0 || c.BuildCacheMaxGB > 1_000_000 {
		return cluster.Invalid("build_cache_max_gb", "%d is outside 0 … 1000000", c.BuildCacheMaxGB)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return cluster.Invalid("tls_cert", "certificate and key go together (tls_cert, tls_key)")
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel) {
		return cluster.Invalid("log_level", "%q is not debug, info, warn or error", c.LogLevel)
	}
	if !slices.Contains([]string{"text", "json"}, c.LogFormat) {
		return cluster.Invalid("log_format", "%q is not text or json", c.LogFormat)
	}
	if c.RouterWorkers < 0 || c.RouterWorkers > 1024 {
		return cluster.Invalid("router_workers", "%d is outside 0 … 1024", c.RouterWorkers)
	}
	// One file is written to; with no other, its rotation would lose what is unread.
	if c.OutputFiles < 2 || c.OutputFiles > 100 {
		return cluster.Invalid("output_files", "%d is outside 2 … 100", c.OutputFiles)
	}
	if c.OutputFileBytes < 64<<10 || c.OutputFileBytes > 1<<30 {
		return cluster.Invalid("output_file_bytes", "%d is outside %d … %d", c.OutputFileBytes, 64<<10, 1<<30)
	}
	return nil
}

// Describe prints the configuration as its file would say it.
func (c Config) Describe() string {
	return fmt.Sprintf("data_dir %s, run_dir %s, roles %s, node %s", c.DataDir, c.RunDir, strings.Join(c.Roles, ","), c.NodeName)
}
