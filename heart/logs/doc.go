// Package logs ships the output of containers to the cluster's log store, each
// line once, in order per stream.
//
// It reads the engine's own log files, by identity and byte offset, and holds
// every one of them open from when it appears until it is read, so that the
// engine's rotation takes nothing away. How much the engine has removed and is
// held all the same is bounded; what is dropped then is counted, and the app's
// log says so.
//
// It keeps nothing on disk. The log store keeps, in one step with the lines, the
// position up to which it has an instance's output, and takes only what goes on
// there: whichever side is killed, the other one knows where to go on.
//
// It does not search lines and decides nothing about containers.
package logs
