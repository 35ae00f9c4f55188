//go:build !race

package store

// history is how many operations a long history has.
const history = 50_000
