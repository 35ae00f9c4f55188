// Package registry keeps the images that nodes take from one another: a registry of
// the OCI's distribution protocol, on the pacemaker's disk. It is the one place that
// knows the library for it, and how that lays out its files. Who may ask for what is
// decided before (cluster.RegistryRequest), and what is kept for how long elsewhere.
package registry
