package openresty

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"text/template"

	"aorta/internal/atomicfile"
	"aorta/internal/procs"
	"aorta/nginx"
)

const (
	// maxConnections is of a worker; a request takes two. nginx has some 420
	// bytes for each from its start.
	maxConnections = 32768
	// ownFiles are what a worker has open beside connections.
	ownFiles = 512
	// keepalive is how many idle connections a worker keeps. nginx searches
	// them one by one, so more are slower.
	keepalive = 512
	// WorkerPriority is the workers' nice value, and that of their session.
	WorkerPriority = -10
)

// rendered is one configuration: what nginx runs with, and its digest.
type rendered struct {
	files  map[string][]byte // path below the nginx directory -> content
	digest string
}

// values are what the template may use; each is checked or made here.
type values struct {
	Modules           []string
	User              string
	WorkerPriority    int
	WorkerProcesses   string
	WorkerConnections uint64
	WorkerFiles       uint64
	Keepalive         int
	RunDir, LuaDir    string
	TempDir, Settings string
	RoutesMemory      int64
	RouterID          string
	LogPath           string
	LogBuffered       bool
	Listen            []string
	StatusListen      string
	TrustedProxies    []string
	Underscored       []string // names of headers that are dropped
}

// settings is what the Lua reads, secrets included.
type settings struct {
	Cluster         string   `json:"cluster"`
	Router          string   `json:"router"`
	Digest          string   `json:"digest"`
	ReplicaSocket   string   `json:"replica_socket"`
	ReplicaUser     string   `json:"replica_user"`
	ReplicaPassword string   `json:"replica_password"`
	Networks        []string `json:"networks"`
	RunDir          string   `json:"run_dir"`
	TableFile       string   `json:"table_file"`
	Trusted         []string `json:"trusted"`
	Connections     uint64   `json:"connections"`             // of a worker
	NoHTTPCache     bool     `json:"no_http_cache,omitempty"` // nginx was built without it
}

const (
	confFile     = "nginx.conf"
	settingsFile = "settings.json"
)

func (c Config) nginxDir() string { return filepath.Join(c.DataDir, "nginx") }

// tempDir is where the workers may write: the data directory is closed to
// them. Bodies pass without a file, so hardly anything is ever in it.
func (c Config) tempDir() string { return filepath.Join(c.RunDir, "temp") }

// openLogPath is the access log by way of its directory, which nginx has open
// from its start: its workers open the log anew after a rotation, and as a user
// of their own they may not walk the path through the data directory.
func (c Config) openLogPath() string {
	return fmt.Sprintf("/proc/self/fd/%d/%s", procs.FirstOpenDir, filepath.Base(c.LogPath))
}

// render makes every file of the configuration. logPath is the access log as
// nginx is to open it.
func (c Config) render(b build, logPath string) (rendered, error) {
	r := rendered{files: make(map[string][]byte)}
	conf, err := c.renderConf(b.modules, logPath)
	if err != nil {
		return rendered{}, err
	}
	r.files[confFile] = conf
	if err := r.addLua(); err != nil {
		return rendered{}, err
	}
	set := c.settings()
	set.NoHTTPCache = b.noHTTPCache
	if r.files[settingsFile], err = json.Marshal(set); err != nil {
		return rendered{}, fmt.Errorf("encode the router's settings: %w", err)
	}
	set.Digest = r.sum()
	r.digest = set.Digest
	if r.files[settingsFile], err = json.Marshal(set); err != nil {
		return rendered{}, fmt.Errorf("encode the router's settings: %w", err)
	}
	return r, nil
}

func (c Config) renderConf(modules []string, logPath string) ([]byte, error) {
	text, err := nginx.Files.ReadFile("nginx.conf.tmpl")
	if err != nil {
		return nil, fmt.Errorf("read the embedded nginx.conf: %w", err)
	}
	parsed, err := template.New(confFile).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("parse the embedded nginx.conf: %w", err)
	}
	v := values{
		Modules: modules, User: workerUser(), WorkerPriority: WorkerPriority, WorkerProcesses: "auto",
		WorkerFiles: c.openFiles(), WorkerConnections: c.connections(), Keepalive: keepalive,
		RunDir: c.RunDir, LuaDir: filepath.Join(c.nginxDir(), "lua"),
		TempDir: c.tempDir(), Settings: filepath.Join(c.nginxDir(), settingsFile),
		RoutesMemory: c.RoutesMemory,
		RouterID:     c.RouterID, LogPath: logPath, LogBuffered: c.LogBuffered,
	}
	if c.WorkerProcesses > 0 {
		v.WorkerProcesses = strconv.Itoa(c.WorkerProcesses)
	}
	v.TrustedProxies, v.Underscored = masked(c.TrustedProxies), underscored()
	for _, address := range c.Listen {
		listen, err := listenAddress(address)
		if err != nil {
			return nil, err
		}
		v.Listen = append(v.Listen, listen)
	}
	if c.StatusListen != "" {
		if v.StatusListen, err = listenAddress(c.StatusListen); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, v); err != nil {
		return nil, fmt.Errorf("render nginx.conf: %w", err)
	}
	return out.Bytes(), nil
}

func (c Config) settings() settings {
	return settings{
		Cluster: c.Cluster, Router: c.RouterID, RunDir: c.RunDir, TableFile: c.TableFile,
		ReplicaSocket: c.ReplicaSocket, ReplicaUser: c.ReplicaUser, ReplicaPassword: c.ReplicaPassword,
		Networks: masked(c.AllowedNetworks), Trusted: masked(c.TrustedProxies), Connections: c.connections(),
	}
}

// masked are the networks as nginx and Lua take them; a list, also of none.
func masked(networks []netip.Prefix) []string {
	list := []string{}
	for _, network := range networks {
		list = append(list, network.Masked().String())
	}
	return list
}

func (r rendered) addLua() error {
	return fs.WalkDir(nginx.Files, "lua", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := nginx.Files.ReadFile(path)
		r.files[path] = text
		return err
	})
}

// sum is a digest of all files, by which a running nginx tells what it runs.
func (r rendered) sum() string {
	hash := sha256.New()
	names := make([]string, 0, len(r.files))
	for name := range r.files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(hash, "%s %d\n", name, len(r.files[name]))
		hash.Write(r.files[name])
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}

// write puts the files below dir. The settings hold a password and are the
// master's alone; everything else may be read.
func (r rendered) write(dir string) error {
	for name, content := range r.files {
		path := filepath.Join(dir, name)
		mode := os.FileMode(0o644)
		if name == settingsFile {
			mode = 0o600
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write nginx's configuration: %w", err)
		}
		// nginx may be reading it.
		if err := atomicfile.Replace(path, content, mode); err != nil {
			return fmt.Errorf("write nginx's configuration: %w", err)
		}
	}
	return nil
}

// openFiles is how many files a worker may have open: as many as it can use, or
// the hard limit where raising that is not ours.
func (c Config) openFiles() uint64 {
	if c.files > 0 {
		return c.files
	}
	const wanted = maxConnections + ownFiles
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	if limit.Max < wanted {
		raised := syscall.Rlimit{Cur: limit.Cur, Max: wanted}
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) == nil {
			limit = raised
		}
	}
	return min(wanted, limit.Max)
}

// connections is how many a worker may have: each is a file.
func (c Config) connections() uint64 {
	files := c.openFiles()
	return files - min(ownFiles, files/4)
}

// workerUser is the user that workers run as; it can't be set unless we are root.
func workerUser() string {
	if os.Geteuid() != 0 {
		return ""
	}
	for _, name := range []string{"www-data", "nginx"} {
		if _, err := user.Lookup(name); err == nil {
			return name
		}
	}
	return "nobody nogroup"
}
