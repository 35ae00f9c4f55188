// Package openresty renders, checks, starts, watches and reloads the nginx that
// routes requests, Debian's with its Lua module or OpenResty.
//
// nginx goes on when this process ends, and is adopted by the next one. Routes
// never pass through here: its workers read them from the local replica. What
// this package knows of the table is which generation the workers have.
package openresty
