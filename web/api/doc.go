// Package api is the REST API: shapes, checks, permissions and errors, one
// file per resource. It holds no state and decides nothing about the cluster;
// that is the pacemaker's. The Go client is web/client, the shapes are in
// web/wire.
package api
