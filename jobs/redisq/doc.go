// Package redisq runs trees of jobs over Redis: a Keeper owns the trees and
// moves them, Workers take single jobs from the queue of their node or role.
//
// The Keeper is the only writer of a tree and of what it puts into queues; its
// scripts refuse it once another one with a higher epoch has come. A Worker
// needs plain commands on its own queue's keys only (see NodeACL): it says what
// it did on the queue's out stream, and the Keeper accepts what carries the
// token of the job's present lease.
//
// Jobs run at least once, or at most once by policy; never twice under one
// lease. The package rules no retries of its own: those are package jobs'. It
// keeps nothing for good either: an ended tree is handed over and deleted.
package redisq
