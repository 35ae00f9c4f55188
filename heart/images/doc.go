// Package images carries images between a node's engine and the cluster's registry.
// The engine knows the registry as a port of this machine (Proxy), so that the names
// of images survive a move of the pacemaker; from there, what it asks goes over the
// node's own client. Whether an image is needed, and where, is decided elsewhere.
package images
