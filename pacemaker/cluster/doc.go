// Package cluster is the vocabulary of Aorta: apps, builds, releases,
// instances, nodes, operations, the reports that nodes send, the legal changes
// of state, the validators and the coded errors.
//
// It imports nothing of ours and does no I/O: no clock, no SQL, no network.
// Whatever two parts must agree on has its one definition here.
package cluster
