package openresty

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	defaultRoutesMemory = 128 << 20
	minRoutesMemory     = 1 << 20
)

// Config says how the router's nginx is rendered and run.
type Config struct {
	// Listen are the public addresses: ":8080" (all IPv4 addresses),
	// "10.77.0.1:80" or "[::]:80".
	Listen []string
	// TrustedProxies are the networks of proxies before the router, whose
	// X-Forwarded-* and Forwarded headers are passed on.
	TrustedProxies []netip.Prefix
	// StatusListen is a private ip:port for /healthz and /status; empty for
	// none besides the socket status.sock in RunDir.
	StatusListen string
	// ReplicaSocket is the unix socket of the local routes replica.
	ReplicaSocket string
	// ReplicaUser and ReplicaPassword log in there; no log-in when the
	// password is empty.
	ReplicaUser, ReplicaPassword string
	// Cluster is the id whose table is taken, RouterID this router's node id.
	Cluster, RouterID string
	// DataDir holds nginx/ (configuration, Lua) and is for nginx's master alone.
	// RunDir holds the sockets and temporary files, so its path must be short,
	// and nginx's workers must reach it. StateDir holds the process record.
	DataDir, RunDir, StateDir string
	// TableFile is what table.Keeper saves: the table to start with where the
	// replica has none. DataDir/routes.table when empty.
	TableFile string
	// SaveTable has the newest table saved there, before nginx is started; may be nil.
	SaveTable func()
	// LogPath is the access log. LogBuffered holds lines back for up to 200 ms:
	// 10 % faster, and a worker killed with -9 loses them.
	LogPath     string
	LogBuffered bool
	// AllowedNetworks are where instances may be; records with addresses
	// elsewhere are broken.
	AllowedNetworks []netip.Prefix
	// WorkerProcesses is one per processor when 0.
	WorkerProcesses int
	// NginxPath is looked for when empty.
	NginxPath string
	// RoutesMemory is the room to keep raw records in, in bytes; 128 MiB when
	// 0. A host needs about 2 kB.
	RoutesMemory int64
	// DieWithParent is for tests: nginx ends with this process.
	DieWithParent bool
	// files is for tests: what a worker may have open, in place of the
	// process's limit.
	files uint64
}

var (
	// pathRule admits no character that nginx.conf or Lua would read as more
	// than a part of the path.
	pathRule = regexp.MustCompile(`^/[A-Za-z0-9._/-]+$`)
	uuidRule = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// sun_path holds 108 bytes with its end; the longest socket name is added.
const maxRunDir = 107 - len("/status.sock")

func (c Config) validate() error {
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(c.Listen) == 0 {
		refuse("the router has no address to listen on (set --router-listen)")
	}
	for _, address := range c.Listen {
		if _, err := listenAddress(address); err != nil {
			errs = append(errs, err)
		}
	}
	if c.StatusListen != "" {
		if _, err := listenAddress(c.StatusListen); err != nil {
			errs = append(errs, err)
		}
	}
	for what, id := range map[string]string{"cluster": c.Cluster, "router": c.RouterID} {
		if !uuidRule.MatchString(id) {
			refuse("the %s id %q is not a lower-case UUID", what, id)
		}
	}
	for what, path := range map[string]string{
		"data directory": c.DataDir, "run directory": c.RunDir, "state directory": c.StateDir,
		"access log": c.LogPath, "replica socket": c.ReplicaSocket, "table file": c.TableFile,
	} {
		if !pathRule.MatchString(path) || filepath.Clean(path) != path {
			refuse("the router's %s %q must be an absolute path of letters, digits, '.', '_' and '-'", what, path)
		}
	}
	if len(c.RunDir) > maxRunDir {
		refuse("the run directory %s is too long for sockets: at most %d bytes", c.RunDir, maxRunDir)
	}
	if c.WorkerProcesses < 0 || c.WorkerProcesses > 512 {
		refuse("%d worker processes are not in 0..512", c.WorkerProcesses)
	}
	if c.RoutesMemory < minRoutesMemory {
		refuse("the routes memory (%d) is too small", c.RoutesMemory)
	}
	return errors.Join(errs...)
}

// withDefaults fills what was left empty.
func (c Config) withDefaults() Config {
	if c.TableFile == "" {
		c.TableFile = filepath.Join(c.DataDir, "routes.table")
	}
	if c.RoutesMemory == 0 {
		c.RoutesMemory = defaultRoutesMemory
	}
	return c
}

// listenAddress is the address as nginx takes it.
func listenAddress(address string) (string, error) {
	full := address
	if strings.HasPrefix(address, ":") {
		full = "0.0.0.0" + address
	}
	parsed, err := netip.ParseAddrPort(full)
	if err != nil || parsed.Port() == 0 || parsed.Addr().Zone() != "" {
		return "", fmt.Errorf("listen address %q is not an ip:port (for all addresses: \":8080\")", address)
	}
	return parsed.String(), nil
}
