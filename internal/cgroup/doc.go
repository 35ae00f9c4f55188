// Package cgroup limits, weighs and measures control groups that somebody else has made, of
// either version, by the paths that container runtimes are given for them or by a
// process in them.
//
// It makes and removes none, and moves no process.
package cgroup
