// Package cgroup limits control groups that somebody else has made, of either
// version, by the paths that container runtimes are given for them.
//
// It makes and removes none, and moves no process.
package cgroup
