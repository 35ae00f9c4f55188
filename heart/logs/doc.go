// Package logs ships what containers write to the cluster's log store, each
// line once, in order per stream.
//
// It keeps no lines of its own: the engine's files are the spool, bounded by
// their own rotation, and what is kept here is how far they were shipped. It
// neither stores nor searches lines, and it decides nothing about containers.
package logs
