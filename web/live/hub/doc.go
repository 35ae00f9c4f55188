// Package hub reports to many readers what changes: it computes a topic once for
// all who listen to it, and only while somebody does, and gives each reader
// what differs from what it got before.
//
// It knows no HTTP and none of what its topics are about: a Source computes
// them, and the server of a reader writes the frames.
package hub
