// Package cluster is the vocabulary of Aorta: apps, builds, releases,
// instances, nodes, operations, the reports that nodes send, the legal changes
// of state, the validators and the coded errors.
//
// It imports nothing of ours and does no I/O: no clock, no SQL, no network.
// Whatever two parts must agree on has its one definition here.
//
// Its values know no JSON: the wire, the disk and SQL have shapes of their own
// (web/wire, web/nodewire, heart, pacemaker/store). The exceptions are the
// arguments of jobs and a Request, which are payloads by what they are: ids that
// travel through Redis and lie in SQL as they are here.
package cluster
