// Package gitrepo keeps the bare repositories that apps are pushed to, by way
// of the git binary: making them, reading and moving refs, holding commits,
// archives for builds, and the two services that git clients speak.
//
// It is the only package that starts git. It does not know HTTP, who may
// push, or what a push starts.
package gitrepo
