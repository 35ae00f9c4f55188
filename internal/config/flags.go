package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"aorta/internal/wholenumber"
)

// flagSet is the daemon's flags over a configuration.
type flagSet struct {
	*flag.FlagSet
	file string
}

func newFlags(cfg *Config) *flagSet {
	f := &flagSet{FlagSet: flag.NewFlagSet("aortad", flag.ContinueOnError)}
	f.SetOutput(io.Discard)
	f.StringVar(&f.file, "config", "", "configuration file (YAML)")
	text := func(name string, at *string, use string) { f.StringVar(at, name, *at, use) }
	number := func(name string, at *int, use string) { f.Var((*whole)(at), name, use) }
	text("data-dir", &cfg.DataDir, "directory of everything that lasts")
	text("run-dir", &cfg.RunDir, "short directory of sockets")
	f.Var((*list)(&cfg.Roles), "roles", "roles of this node, with commas between")
	text("listen", &cfg.Listen, "address of API and git")
	text("node-listen", &cfg.NodeListen, "address of the nodes' API (default: the node address with port 7421)")
	text("router-listen", &cfg.RouterListen, "address of the router for apps")
	text("router-status-listen", &cfg.RouterStatusListen, "address of the router's health and status")
	f.Var((*list)(&cfg.RouterTrustedProxies), "router-trusted-proxies", "networks of proxies before the router whose X-Forwarded-* headers apps get (CIDR,…)")
	text("redis-address", &cfg.RedisAddress, "IP that the managed Redis masters listen on (default: the node address)")
	text("jobs-redis-url", (*string)(&cfg.JobsRedisURL), "Redis of your own for the jobs: redis[s]://USER:PASSWORD@HOST:PORT (others see flags: better in the file or in AORTAD_JOBS_REDIS_URL)")
	text("jobs-redis-ca", &cfg.JobsRedisCA, "authority of that Redis' certificate (PEM; default: the system's)")
	text("registry-url", &cfg.RegistryURL, "registry of your own for images: https://HOST[:PORT][/REPOSITORY] (default: the pacemaker's)")
	text("registry-login", &cfg.RegistryLogin, "file with USER:PASSWORD of that registry")
	text("registry-ca", &cfg.RegistryCA, "authority of that registry's certificate (PEM; default: the system's)")
	text("public-url", &cfg.PublicURL, "base of the addresses that people are shown")
	text("tls-cert", &cfg.TLSCert, "certificate of --listen (PEM)")
	text("tls-key", &cfg.TLSKey, "key of --listen (PEM)")
	text("node-name", &cfg.NodeName, "name of this node (default: from the host's)")
	text("node-address", &cfg.NodeAddress, "private address that instances are published on")
	text("docker-host", &cfg.DockerHost, "address of the Docker engine")
	text("domain", &cfg.Domain, "cluster domain: app NAME is served at NAME.DOMAIN")
	f.Var((*list)(&cfg.Tags), "tags", "tags of this node (KEY=VALUE,…), under those that are set by aorta nodes tag")
	text("tags-program", &cfg.TagsProgram, "executable that prints tags of this node, one KEY=VALUE a line, within 5 s; it is run every 5 minutes")
	f.BoolVar(&cfg.CloudTags, "cloud-tags", cfg.CloudTags, "on a machine of a known cloud, ask its metadata service for region, zone and machine type")
	f.Var((*list)(&cfg.Pacemakers), "pacemakers", "addresses of the nodes' API, for a node that has joined (https://IP:7421,…; default: those that it was told)")
	f.DurationVar(&cfg.DeadAfter, "dead-after", cfg.DeadAfter, "silence after which a node counts as dead")
	f.DurationVar(&cfg.ReportEvery, "report-every", cfg.ReportEvery, "interval of a heart's reports")
	f.DurationVar(&cfg.DrainLimit, "drain-limit", cfg.DrainLimit, "time for requests in flight before SIGTERM")
	number("keep-releases", &cfg.KeepReleases, "how many of an app's newest releases keep their image")
	number("images-max-gb", &cfg.ImagesMaxGB, "GB that the images of an engine may take before the oldest go that are not in use (0: any)")
	number("output-files", &cfg.OutputFiles, "files of an instance's output that its engine keeps")
	number("output-file-bytes", &cfg.OutputFileBytes, "size of each")
	number("build-cache-max-gb", &cfg.BuildCacheMaxGB, "size that the build cache of a builder's engine is kept to, in GB (0: left to the engine)")
	f.DurationVar(&cfg.BuildTimeout, "build-timeout", cfg.BuildTimeout, "time that one build may take")
	f.Var((*list)(&cfg.BuildFetch), "build-fetch", "hosts that builds may fetch from wherever they are, also repositories (HOST or HOST:PORT,…)")
	f.Var((*list)(&cfg.ContainersMayReach), "containers-may-reach", "what instances and builds may reach of this node and of the cloud's own addresses, such as a database on this machine (IP:PORT, or :PORT for any address of it,…)")
	f.BoolVar(&cfg.ClassicBuilder, "classic-builder", cfg.ClassicBuilder, "build by the engine's classic builder, which holds each step to 2 GiB and 2 cores")
	f.BoolVar(&cfg.AccessLogBuffered, "access-log-buffered", cfg.AccessLogBuffered, "let nginx gather log lines for 200 ms")
	number("router-workers", &cfg.RouterWorkers, "nginx workers (0: one per core)")
	text("nginx", &cfg.Nginx, "nginx executable (default: found)")
	text("log-level", &cfg.LogLevel, "debug, info, warn or error")
	text("log-format", &cfg.LogFormat, "text or json")
	return f
}

// inWords says what is wrong with a flag, as people type it.
func inWords(err error) string {
	text := err.Error()
	for _, form := range []struct {
		seen *regexp.Regexp
		says func(parts []string) string
	}{
		{regexp.MustCompile(`^invalid (?:boolean )?value "(.*)" for (?:flag )?-(\S+): `), wrongValue},
		{regexp.MustCompile(`^flag provided but not defined: -(.*)$`), func(p []string) string { return "--" + p[1] + " is no flag" + nearFlag(p[1]) }},
		{regexp.MustCompile(`^flag needs an argument: -(.*)$`), func(p []string) string { return "--" + p[1] + " needs a value" }},
	} {
		if parts := form.seen.FindStringSubmatch(text); parts != nil {
			return form.says(parts)
		}
	}
	return text
}

func wrongValue(parts []string) string {
	for _, o := range options() {
		if o.flag() == parts[2] {
			return fmt.Sprintf("--%s: %q is not %s", o.flag(), parts[1], o.wants())
		}
	}
	return parts[0]
}

func nearFlag(typed string) string {
	o, near := nearest(strings.ReplaceAll(typed, "-", "_"))
	if !near {
		return ""
	}
	return "; did you mean --" + o.flag() + "?"
}

// Usage lists the flags, each with its default.
func Usage(w io.Writer) {
	cfg := Default()
	f := newFlags(&cfg)
	f.SetOutput(w)
	f.PrintDefaults()
}

// whole is a flag of a whole number.
type whole int

func (w *whole) String() string { return strconv.Itoa(int(*w)) }

func (w *whole) Set(s string) error {
	n, ok := wholenumber.Parse(s)
	if !ok {
		return errors.New("want " + wholenumber.Form)
	}
	*w = whole(n)
	return nil
}

// list is a flag with commas between its items.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(s string) error {
	*l = nil
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			*l = append(*l, item)
		}
	}
	return nil
}
