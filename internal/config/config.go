// Package config reads the daemon's configuration: defaults, then a YAML file,
// then AORTAD_… variables, then flags, each over the one before, and checks the
// whole once, with the files that it names. It starts nothing.
package config

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"aorta/pacemaker/cluster"
)

// Config is the daemon's whole configuration. Keys in the file are the names
// of the flags with underscores; variables are AORTAD_ and the same in capitals.
type Config struct {
	DataDir string   `yaml:"data_dir" env:"DATA_DIR"` // everything that lasts
	RunDir  string   `yaml:"run_dir" env:"RUN_DIR"`   // sockets; short, since a socket's path holds 108 bytes
	Roles   []string `yaml:"roles" env:"ROLES"`

	Listen             string `yaml:"listen" env:"LISTEN"`                             // API and git
	NodeListen         string `yaml:"node_listen" env:"NODE_LISTEN"`                   // the nodes' API
	RouterListen       string `yaml:"router_listen" env:"ROUTER_LISTEN"`               // HTTP for apps
	RouterStatusListen string `yaml:"router_status_listen" env:"ROUTER_STATUS_LISTEN"` // health of the router
	// RouterTrustedProxies are addresses and networks of proxies before the router,
	// whose word on the client is passed on to apps.
	RouterTrustedProxies []string `yaml:"router_trusted_proxies" env:"ROUTER_TRUSTED_PROXIES"`
	RedisAddress         string   `yaml:"redis_address" env:"REDIS_ADDRESS"` // IP that the managed Redis masters listen on; empty: the node address, or loopback without one
	// JobsRedisURL is a Redis of the operator's own for the jobs, see ParseRedisURL;
	// empty: a managed one.
	JobsRedisURL Secret `yaml:"jobs_redis_url" env:"JOBS_REDIS_URL"`
	JobsRedisCA  string `yaml:"jobs_redis_ca" env:"JOBS_REDIS_CA"` // authority of its certificate, a PEM file; empty: the system's

	// RegistryURL is a registry of the operator's own for images, see ParseRegistryURL;
	// empty: the pacemaker's.
	RegistryURL   string `yaml:"registry_url" env:"REGISTRY_URL"`
	RegistryLogin string `yaml:"registry_login" env:"REGISTRY_LOGIN"` // file with USER:PASSWORD
	RegistryCA    string `yaml:"registry_ca" env:"REGISTRY_CA"`       // authority of its certificate, a PEM file; empty: the system's

	PublicURL string `yaml:"public_url" env:"PUBLIC_URL"` // base of the addresses that people are shown
	TLSCert   string `yaml:"tls_cert" env:"TLS_CERT"`     // certificate and key of Listen, PEM files
	TLSKey    string `yaml:"tls_key" env:"TLS_KEY"`

	NodeName    string `yaml:"node_name" env:"NODE_NAME"`
	NodeAddress string `yaml:"node_address" env:"NODE_ADDRESS"` // private address that instances are published on
	DockerHost  string `yaml:"docker_host" env:"DOCKER_HOST"`
	Domain      string `yaml:"domain" env:"DOMAIN"`
	// Tags are of this node, each KEY=VALUE. TagsProgram is an executable that prints
	// more of them; CloudTags has the metadata service of the cloud asked.
	Tags        []string `yaml:"tags" env:"TAGS"`
	TagsProgram string   `yaml:"tags_program" env:"TAGS_PROGRAM"`
	CloudTags   bool     `yaml:"cloud_tags" env:"CLOUD_TAGS"`
	// Pacemakers are the addresses of the nodes' API, for a node that has joined; none:
	// those that it was told.
	Pacemakers []string `yaml:"pacemakers" env:"PACEMAKERS"`

	DeadAfter   time.Duration `yaml:"dead_after" env:"DEAD_AFTER"`
	ReportEvery time.Duration `yaml:"report_every" env:"REPORT_EVERY"`
	DrainLimit  time.Duration `yaml:"drain_limit" env:"DRAIN_LIMIT"`

	// KeepReleases is how many of an app's newest releases keep their image, and
	// the archive that it was built from.
	KeepReleases int `yaml:"keep_releases" env:"KEEP_RELEASES"`
	// ImagesMaxGB is how much the images of one engine may take, in units of 10^9
	// bytes; 0: any amount.
	ImagesMaxGB int `yaml:"images_max_gb" env:"IMAGES_MAX_GB"`
	// BuildCacheMaxGB is how much the build cache of a builder's engine may take, in
	// units of 10^9 bytes; 0 leaves it to the engine.
	BuildCacheMaxGB int  `yaml:"build_cache_max_gb" env:"BUILD_CACHE_MAX_GB"`
	ClassicBuilder  bool `yaml:"classic_builder" env:"CLASSIC_BUILDER"` // build without BuildKit, each step within limits

	// BuildFetch are hosts (HOST or HOST:PORT) that builds may reach wherever they
	// are, and that the engine itself may fetch from.
	BuildFetch []string `yaml:"build_fetch" env:"BUILD_FETCH"`

	// ContainersMayReach are addresses (IP:PORT, or :PORT for any address of this
	// machine) that instances and builds of this node reach, by TCP and UDP, though
	// nodes and clouds have them for themselves.
	ContainersMayReach []string `yaml:"containers_may_reach" env:"CONTAINERS_MAY_REACH"`

	BuildTimeout time.Duration `yaml:"build_timeout" env:"BUILD_TIMEOUT"` // of one build, once its turn has come

	// The engine keeps so many files of so many bytes of an instance's output,
	// beside those in the log store.
	OutputFiles     int `yaml:"output_files" env:"OUTPUT_FILES"`
	OutputFileBytes int `yaml:"output_file_bytes" env:"OUTPUT_FILE_BYTES"`

	AccessLogBuffered bool   `yaml:"access_log_buffered" env:"ACCESS_LOG_BUFFERED"`
	RouterWorkers     int    `yaml:"router_workers" env:"ROUTER_WORKERS"` // nginx workers; 0: one per core
	Nginx             string `yaml:"nginx" env:"NGINX"`                   // executable; empty: found
	LogLevel          string `yaml:"log_level" env:"LOG_LEVEL"`           // debug, info, warn, error
	LogFormat         string `yaml:"log_format" env:"LOG_FORMAT"`         // text, json
}

// DefaultListen is where the API listens when nothing else is said. A process
// without the pacemaker role has no API, and takes a port of its own.
const DefaultListen = "127.0.0.1:7420"

// Default is the configuration where nothing is said.
func Default() Config {
	return Config{
		Roles:        []string{"pacemaker", "heart", "router", "builder"},
		RouterListen: ":8080",
		Domain:       "aorta.localhost", DeadAfter: 15 * time.Second, ReportEvery: 2 * time.Second, DrainLimit: 30 * time.Second,
		KeepReleases: cluster.KeptReleases, ImagesMaxGB: 20, BuildCacheMaxGB: 10, BuildTimeout: 30 * time.Minute,
		OutputFiles: 5, OutputFileBytes: 10 << 20, CloudTags: true,
		AccessLogBuffered: true, LogLevel: "info", LogFormat: "text",
	}
}

// Sources are where a configuration comes from, weakest first.
type Sources struct {
	File    string            // path of a YAML file; empty for none
	Environ map[string]string // as os.Environ has them
	Flags   []string          // arguments after the command's name
	Strict  bool              // a variable that nobody reads is a mistake too
	// Joining is for a node that is not in the cluster yet, which may have its roles
	// from there: none is given where nothing is said.
	Joining bool
}

// FileName is the configuration in a data directory, which is read where no other
// file is named. Joining writes it.
const FileName = "aortad.yml"

// Load reads all sources and checks the result. The rest are the arguments
// that are no flags. Flags that can't be understood are ErrUsage, and flag.ErrHelp
// is one that asks for help. All else that is wrong is said at once and is invalid:
// trying again would change nothing.
func Load(s Sources) (cfg Config, rest []string, err error) {
	cfg = Default()
	flags := newFlags(&cfg)
	// Flags are parsed once for the file's name and again over what it says.
	if err := flags.Parse(s.Flags); err != nil {
		return cfg, nil, usage(err)
	}
	file := flags.file
	if file == "" {
		file = s.File
	}
	if file == "" && !s.Joining {
		file = keptFile(cmp.Or(cfg.DataDir, s.Environ[prefix+"DATA_DIR"]))
	}
	cfg = Default()
	if s.Joining {
		cfg.Roles = nil
	}
	var all mistakes
	if file != "" {
		if err := readFile(file, &cfg, &all); err != nil {
			return cfg, nil, err
		}
	}
	readEnvironment(s.Environ, &cfg, &all)
	if s.Strict {
		for _, says := range UnknownVariables(s.Environ) {
			all.add(cluster.Invalid("", "%s", says))
		}
	}
	flags = newFlags(&cfg)
	if err := flags.Parse(s.Flags); err != nil {
		return cfg, nil, usage(err)
	}
	cfg.finish(&all, s.Joining)
	return cfg, flags.Args(), all.err()
}

// keptFile is the file in a data directory, "" if there is none.
func keptFile(dir string) string {
	path := filepath.Join(dir, FileName)
	if _, err := os.Stat(path); dir == "" || err != nil {
		return ""
	}
	return path
}

// ErrUsage marks arguments that can't be understood.
var ErrUsage = errors.New("usage")

func usage(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return fmt.Errorf("%w: %s", ErrUsage, inWords(err))
}
