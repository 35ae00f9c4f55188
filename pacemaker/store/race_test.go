//go:build race

package store

// history is how many operations a long history has: the race detector makes
// SQLite thirty times as slow.
const history = 2_000
