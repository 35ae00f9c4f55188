package openresty

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func goodConfig() Config {
	return Config{
		Listen: []string{":8080"}, StatusListen: "10.77.0.1:8081", ReplicaSocket: "/run/aorta/r.sock",
		ReplicaUser: "router", ReplicaPassword: "canary-secret",
		Cluster: cluster, RouterID: cluster,
		DataDir: "/var/lib/aorta/router", RunDir: "/run/aorta", StateDir: "/var/lib/aorta/state", LogPath: "/var/log/aorta/access.log",
		AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("10.77.0.5/16")},
	}.withDefaults()
}

func TestConfig_RefusesWhatCouldLeaveItsPlace(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"listen":   func(c *Config) { c.Listen = []string{"80; include /etc/passwd"} },
		"host":     func(c *Config) { c.Listen = []string{"shop.example.com:80"} },
		"none":     func(c *Config) { c.Listen = nil },
		"status":   func(c *Config) { c.StatusListen = "unix:/x" },
		"log":      func(c *Config) { c.LogPath = "/var/log/a.log combined; #" },
		"run":      func(c *Config) { c.RunDir = "/run/\"a" },
		"long":     func(c *Config) { c.RunDir = "/run/" + strings.Repeat("a", 100) },
		"relative": func(c *Config) { c.DataDir = "data" },
		"dots":     func(c *Config) { c.DataDir = "/var/../etc" },
		"cluster":  func(c *Config) { c.Cluster = "x\"" },
		"router":   func(c *Config) { c.RouterID = "'" },
		"workers":  func(c *Config) { c.WorkerProcesses = -1 },
	} {
		c := goodConfig()
		change(&c)

		if err := c.validate(); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if err := goodConfig().validate(); err != nil {
		t.Errorf("good configuration: got %v, want none", err)
	}
}

func TestConfig_SecretStaysInTheMastersFile(t *testing.T) {
	r, err := goodConfig().render(build{}, "/var/log/aorta/access.log")
	if err != nil {
		t.Fatalf("render: %v", err)
	}
	dir := t.TempDir()
	if err := r.write(dir); err != nil {
		t.Fatalf("write: %v", err)
	}

	for name, content := range r.files {
		if has := strings.Contains(string(content), "canary-secret"); has != (name == settingsFile) {
			t.Errorf("%s: holds the password: %v", name, has)
		}
	}
	if info, _ := os.Stat(filepath.Join(dir, settingsFile)); info.Mode().Perm() != 0o600 {
		t.Errorf("mode of %s: got %o, want 600", settingsFile, info.Mode().Perm())
	}
}

func TestConfig_DigestFollowsEverySetting(t *testing.T) {
	digest := func(c Config) string {
		r, err := c.render(build{}, "/var/log/aorta/access.log")
		if err != nil {
			t.Fatalf("render: %v", err)
		}
		return r.digest
	}
	changed := goodConfig()
	changed.ReplicaPassword = "another"

	if a, b := digest(goodConfig()), digest(goodConfig()); a != b {
		t.Errorf("same configuration: got %s and %s", a, b)
	}
	if digest(changed) == digest(goodConfig()) {
		t.Errorf("another password: got the same digest")
	}
}

func TestBuiltIn_KnowsOpenResty(t *testing.T) {
	for build, want := range map[string]bool{
		"configure arguments: --prefix=/usr/local/openresty/nginx --add-module=../ngx_lua-0.10.26 --with-pcre-jit": true,
		"configure arguments: --prefix=/usr/share/nginx --with-compat":                                             false,
	} {
		if got := builtIn(build); got != want {
			t.Errorf("%s: got %v, want %v", build, got, want)
		}
	}
}
