// Package contexts keeps a person's named clusters: addresses and tokens in one
// file of mode 0600, written whole and under a lock, so that a daemon's first
// start and a login at the same time lose neither.
//
// It connects to nothing and knows no flags.
package contexts
