// Package gitrepo keeps the bare repositories that apps are pushed to, by way
// of the git binary: making them, reading and moving refs, holding commits,
// archives for builds, and the two services that git clients speak.
//
// It is the only package that starts git. It knows nothing of HTTP, of who may
// push, or of what a push sets off.
package gitrepo
