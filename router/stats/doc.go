// Package stats keeps the cluster's traffic statistics in Redis: who wrote
// them, what was counted when, and what a window of time adds up to.
//
// Counters lie in strings of appended records (see codec.go), so that adding
// is appending and a sum is a reading. Each counted request is in exactly one
// place per dimension: in a leaf of seconds, or, moved there by the roller in
// one step, in minutes, or in hours. A query reads all three with one MGET and
// is right at any moment, whether the roller ran or not.
//
// It does not read access logs (router/accesslog does) and judges nothing: what
// is too slow or too wrong is for its callers to say.
package stats
