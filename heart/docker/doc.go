// Package docker runs containers and images on one Docker engine: it is the
// only place that uses the engine's API. Every call has a timeout, and every error
// is returned as a coded error of the cluster's vocabulary.
//
// It decides nothing: when to start, restart or remove is the heart's choice,
// what to build is heart/build's. Options of containers come from an allow-list
// here and from nowhere else, so that no app can ask the engine for more.
package docker
