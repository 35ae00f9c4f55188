package openresty

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNoNginx: there is no nginx with Lua on this machine.
var ErrNoNginx = errors.New("the router needs nginx with Lua: " +
	"apt-get install nginx-light libnginx-mod-http-lua lua-resty-core lua-cjson (or install OpenResty)")

// nginxPlaces are paths of nginx beyond the search path.
var nginxPlaces = []string{"/usr/sbin/nginx", "/usr/local/openresty/nginx/sbin/nginx", "/usr/local/sbin/nginx"}

// moduleDirs are where distributions put dynamic modules.
var moduleDirs = []string{"/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/nginx/modules"}

// findNginx is the executable itself, no link to it.
func findNginx(configured string) (string, error) {
	if configured == "" {
		configured = firstExecutable()
	}
	if configured == "" {
		return "", ErrNoNginx
	}
	path, err := filepath.EvalSymlinks(configured)
	if err != nil {
		return "", fmt.Errorf("find nginx: %w", errors.Join(err, ErrNoNginx))
	}
	return path, nil
}

func firstExecutable() string {
	for _, name := range []string{"openresty", "nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	for _, path := range nginxPlaces {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// build is what an nginx was built with, as far as it matters here.
type build struct {
	modules     []string // to load: none where Lua was built in, as in OpenResty
	noHTTPCache bool
}

// inspect asks nginx for its build.
func inspect(nginx string) (build, error) {
	out, err := exec.Command(nginx, "-V").CombinedOutput()
	if err != nil {
		return build{}, fmt.Errorf("ask %s for its modules: %w", nginx, err)
	}
	b := build{noHTTPCache: strings.Contains(string(out), "--without-http-cache")}
	if builtIn(string(out)) {
		return b, nil
	}
	for _, dir := range moduleDirs {
		ndk, lua := filepath.Join(dir, "ndk_http_module.so"), filepath.Join(dir, "ngx_http_lua_module.so")
		if readable(ndk) && readable(lua) {
			b.modules = []string{ndk, lua}
			return b, nil
		}
	}
	return build{}, fmt.Errorf("%s has no Lua module in %s: %w", nginx, strings.Join(moduleDirs, ", "), ErrNoNginx)
}

// builtIn reports whether nginx -V names a Lua module that was linked in.
func builtIn(build string) bool {
	for _, option := range strings.Fields(build) {
		if strings.HasPrefix(option, "--add-module=") && strings.Contains(option, "ngx_lua") {
			return true
		}
	}
	return false
}

func readable(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
