package openresty

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"text/template"

	"aorta/nginx"
)

const (
	maxConnections = 16384 // of a worker; a request takes two
	maxFiles       = 4 * maxConnections
	// keepalive is how many idle connections a worker keeps. nginx searches
	// them one by one, so more are slower.
	keepalive = 512
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
	WorkerProcesses   string
	WorkerConnections uint64
	WorkerFiles       uint64
	Keepalive         int
	RunDir, LuaDir    string
	TempDir, Settings string
	RoutesMemory      int64
	MaxBody           int64
	RouterID          string
	LogPath           string
	LogBuffered       bool
	Listen            []string
	StatusListen      string
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
}

const (
	confFile     = "nginx.conf"
	settingsFile = "settings.json"
)

func (c Config) nginxDir() string { return filepath.Join(c.DataDir, "nginx") }

// render makes every file of the configuration.
func (c Config) render(modules []string) (rendered, error) {
	r := rendered{files: make(map[string][]byte)}
	conf, err := c.renderConf(modules)
	if err != nil {
		return rendered{}, err
	}
	r.files[confFile] = conf
	if err := r.addLua(); err != nil {
		return rendered{}, err
	}
	set := c.settings()
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

func (c Config) renderConf(modules []string) ([]byte, error) {
	text, err := nginx.Files.ReadFile("nginx.conf.tmpl")
	if err != nil {
		return nil, fmt.Errorf("read the embedded nginx.conf: %w", err)
	}
	parsed, err := template.New(confFile).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("parse the embedded nginx.conf: %w", err)
	}
	v := values{
		Modules: modules, User: workerUser(), WorkerProcesses: "auto",
		WorkerFiles: openFiles(), WorkerConnections: openFiles() / 4, Keepalive: keepalive,
		RunDir: c.RunDir, LuaDir: filepath.Join(c.nginxDir(), "lua"),
		TempDir: filepath.Join(c.nginxDir(), "temp"), Settings: filepath.Join(c.nginxDir(), settingsFile),
		RoutesMemory: c.RoutesMemory, MaxBody: c.MaxBody,
		RouterID: c.RouterID, LogPath: c.LogPath, LogBuffered: c.LogBuffered,
	}
	if c.WorkerProcesses > 0 {
		v.WorkerProcesses = strconv.Itoa(c.WorkerProcesses)
	}
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
	s := settings{
		Cluster: c.Cluster, Router: c.RouterID, RunDir: c.RunDir, TableFile: c.TableFile,
		ReplicaSocket: c.ReplicaSocket, ReplicaUser: c.ReplicaUser, ReplicaPassword: c.ReplicaPassword,
		Networks: []string{},
	}
	for _, network := range c.AllowedNetworks {
		s.Networks = append(s.Networks, network.Masked().String())
	}
	return s
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
		if err := replaceFile(path, content, mode); err != nil {
			return fmt.Errorf("write nginx's configuration: %w", err)
		}
	}
	return nil
}

// replaceFile swaps the file in one step: nginx may be reading it.
func replaceFile(path string, content []byte, mode os.FileMode) error {
	tmp := path + ".new"
	if err := os.Remove(tmp); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.WriteFile(tmp, content, mode); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// openFiles is how many files a worker may have open. Raising the hard limit
// is not ours everywhere.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	return min(maxFiles, limit.Max)
}

// workerUser is whom workers run as: nobody chooses when we are not root.
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
