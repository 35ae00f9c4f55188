// Package procs starts, adopts, watches, restarts and stops daemons that go on
// when the process that started them is killed, restarted or upgraded.
//
// A managed daemon has a session of its own and is known by a record on disk:
// process id, start time, boot id, executable and data directory. Whoever
// comes next opens a pidfd on the recorded process, checks that all of these
// still hold, and only then watches or signals it. A number alone is never
// trusted. A daemon whose record was not written in time (its starter died
// between the two) is found by the marker file that it holds open.
//
// It is not for containers, for short commands, or for children that should
// die with their parent (but see Spec.DieWithParent for tests).
package procs
