// Package jobs is a tree of jobs: what a job, a tree, a handler and an attempt
// are, and the rules by which a tree moves.
//
// The rules are pure. Time, luck and ids are arguments; nothing here stores,
// queues or talks to anything. An adapter (jobs/redisq) loads a tree, applies a
// rule, writes what Drain names and then queues what is ready.
//
// A tree runs child first: a job is ready when all its children succeeded, so a
// sequence is a chain and parallel steps are siblings. A job that fails for good
// stops its tree: what has not begun is aborted, what runs is cancelled, and
// then the tree's clean-up jobs run.
package jobs
