// Package live tells many readers what changes: it computes a topic once for
// all who listen to it, and only while somebody does, and gives each reader
// what differs from what it was told before.
//
// It knows no HTTP and none of what its topics are about: a Source computes
// them, and whoever serves a reader writes the frames out.
package live
