// Package nginx holds the router's nginx.conf template and the Lua that nginx
// runs, embedded. It renders and starts nothing: that is router/openresty.
package nginx

import "embed"

// Files holds nginx.conf.tmpl (a text/template) and lua/aorta/*.lua, the
// modules aorta.* on nginx's Lua path.
//
//go:embed nginx.conf.tmpl lua/aorta/*.lua
var Files embed.FS
